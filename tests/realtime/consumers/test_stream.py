"""What the sockets of one stream share. Rooms stand for all streams; tests/chat has what they say."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from django.contrib.auth.models import User

from chat.models import Room
from realtime import db
from realtime.access import AccessLevel, Identity, Rights
from realtime.consumers.stream import Entrance, entrances
from realtime.hub.hub import current_hub
from realtime.protocol import CloseCode, Refused
from realtime.testing import connect, until

pytestmark = pytest.mark.django_db(transaction=True)
LOBBY = "/ws/chat/lobby/"
GUEST = Identity.of_guest("somebody")


async def test_a_crowd_that_enters_at_once_is_looked_up_together(lobby: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    work = db.run

    async def counting(function: Any, keys: list[Any]) -> Any:
        asked.append(len(keys))
        return await work(function, keys)

    monkeypatch.setattr(db, "run", counting)
    guests = [Identity.of_guest(str(number)) for number in range(20)]
    found = await asyncio.gather(*[entrances.get(Entrance(Room, "lobby", guest)) for guest in guests])
    assert all(isinstance(each, tuple) and each[0] == lobby for each in found)
    assert sum(asked) == 20
    assert len(asked) <= 2


async def test_each_of_a_crowd_is_answered_by_their_own_rights(lobby: Room, alice: User) -> None:
    await db.run(Room.objects.update, guest_access=AccessLevel.NONE)
    member = Identity.of_user(alice)
    found = await asyncio.gather(*[entrances.get(Entrance(Room, "LOBBY", each)) for each in (GUEST, member)])
    rights = [each[1] for each in found if isinstance(each, tuple)]
    assert [each.read is None for each in rights] == [False, True]


async def test_what_is_no_stream_is_refused_and_nobody_else_is() -> None:
    found = await asyncio.gather(*[entrances.get(Entrance(Room, name, GUEST)) for name in ("a b", "nowhere")])
    assert [each.close for each in found if isinstance(each, Refused)] == [CloseCode.BAD_NAME, CloseCode.NO_SUCH_STREAM]


async def test_rights_that_time_has_changed_are_looked_at_again(
    lobby: Room, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connect(LOBBY, user=alice) as socket:
        await socket.next("joined")
        await db.run(lambda: Room.objects.filter(pk=lobby.pk).update(member_access=AccessLevel.READ))
        monkeypatch.setattr(Rights, "stale", True)
        await socket.command("send", text="hi")
        await socket.next("rights", write=False)
        assert (await socket.error())["code"] == "forbidden"


async def test_a_socket_is_in_the_stream_that_it_was_let_into(lobby: Room) -> None:
    async with AsyncExitStack() as stack:
        socket = await stack.enter_async_context(connect(LOBBY))
        await socket.next("joined")
        [consumer] = current_hub().sockets
        assert consumer.reads() == {lobby.key}
        refused = await stack.enter_async_context(connect("/ws/chat/nowhere/"))
        await refused.ended()
        await until(lambda: len(list(current_hub().sockets)) == 1)
