"""Open connections as CSV."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from chat.models import Room
from realtime import db
from realtime.testing import connect

pytestmark = pytest.mark.django_db(transaction=True)
LOBBY = "/ws/chat/lobby/"


async def lines(browser: Client, url: str) -> list[str]:
    """What is in the file."""
    answer: Any = await db.run(lambda: browser.get(url))
    return b"".join(answer.streaming_content).decode().splitlines()


async def test_those_that_are_chosen_are_in_it(staff: Client, lobby: Room, alice: User) -> None:
    await User.objects.filter(pk=alice.pk).aupdate(username="=cmd()")
    await alice.arefresh_from_db()
    async with connect(LOBBY, user=alice) as socket, connect(LOBBY):
        await socket.next("joined")
        header, row = await lines(staff, reverse("admin:realtime_connection_export", query={"user": alice.pk}))
        both = await lines(staff, reverse("admin:realtime_connection_export"))
    assert header.startswith("who,route,streams,since,address,messages in,")
    assert row.startswith(f"'=cmd(),{LOBBY},lobby,20")
    assert len(both) == 3


async def test_it_is_for_who_sees_the_page(helper: Callable[..., Client], lobby: Room) -> None:
    browser = await db.run(helper, "delete_connection")
    answer = await db.run(lambda: browser.get(reverse("admin:realtime_connection_export")))
    assert answer.status_code == 403
