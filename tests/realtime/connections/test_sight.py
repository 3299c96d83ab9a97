"""A moderator on admin's page of connections: those of her rooms, and no more of anybody than that."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from accounts.models import Token
from chat.models import Room
from realtime import db
from realtime.hub.hub import current_hub
from realtime.testing import connect

pytestmark = pytest.mark.django_db(transaction=True)
LOBBY, VAULT = "/ws/chat/lobby/", "/ws/chat/vault/"
PAGE = "admin:realtime_connection_changelist"
DATA = "admin:realtime_connection_data"
DISCONNECT = "admin:realtime_connection_disconnect"
ENDED = (4503, "a moderator ended your connection")


async def seen(browser: Client, **query: Any) -> dict[str, Any]:
    answer: Any = await db.run(lambda: browser.get(reverse(DATA, query=query)))
    found: dict[str, Any] = answer.json()
    return found


def may_end(row: dict[str, Any]) -> bool:
    return "Disconnect…" in [label for label, _ in row["acts"]]


async def test_she_sees_those_in_rooms_that_she_may_read(
    mod_staff: Client, alice: User, root: User, lobby: Room, vault: Room
) -> None:
    async with (
        connect(LOBBY, user=alice) as here,
        connect(VAULT, user=root) as there,
        connect("/ws/echo/", user=alice),
        connect("/ws/notifications/", user=alice),
    ):
        await here.next("joined")
        await there.next("joined")
        found = await seen(mod_staff)
        assert [row["route"] for row in found["rows"]] == [LOBBY]
        assert (found["totals"]["connections"], found["more"]) == (1, 0)
        assert (await seen(mod_staff, stream=vault.key))["rows"] == []


async def test_she_reads_no_address_and_no_token(
    mod_staff: Client, lobby: Room, issued: tuple[Token, str], root: User
) -> None:
    async with connect(LOBBY, secret=issued[1], client=("192.0.2.7", 1)) as socket:
        await socket.next("joined")
        [row] = (await seen(mod_staff))["rows"]
        assert (row["address"], row["token"], row["token_name"], row["user"]) == ("", None, "", None)
        assert (await seen(mod_staff, q="192.0.2"))["rows"] == []
        assert len((await seen(mod_staff, q="ALICE"))["rows"]) == 1
    page: Any = await db.run(lambda: mod_staff.get(reverse(PAGE, query={"user": str(root.pk)})))
    assert "root" not in page.text


async def test_she_ends_one_in_her_room_and_it_is_written_down(
    mod_staff: Client, mod: User, alice: User, lobby: Room
) -> None:
    async with connect(LOBBY, user=alice) as goes, connect("/ws/echo/", user=alice) as stays:
        await goes.next("joined")
        [row] = (await seen(mod_staff))["rows"]
        assert may_end(row)
        await db.run(lambda: mod_staff.post(reverse(DISCONNECT, query={"connection": row["id"]})))
        assert await goes.ended() == ENDED
        await stays.send("still here")
        assert "still here" in str(await stays.frame())
    entry = await LogEntry.objects.aget()
    assert (entry.user_id, entry.change_message) == (mod.pk, "Disconnected 1 connection of alice in lobby.")


@pytest.mark.parametrize("whom", ["staff", "superuser", "herself", "elsewhere"])
async def test_she_ends_none_of_who_is_spared(
    whom: str, mod_staff: Client, mod: User, alice: User, root: User, lobby: Room, vault: Room
) -> None:
    await User.objects.filter(pk=alice.pk).aupdate(is_staff=True)
    users = {"staff": alice, "superuser": root, "herself": mod, "elsewhere": root}
    async with connect(VAULT if whom == "elsewhere" else LOBBY, user=users[whom]) as socket:
        await socket.next("joined")
        assert not any(may_end(row) for row in (await seen(mod_staff))["rows"])
        for query in ({"connection": next(iter(_ids()))}, {"user": users[whom].pk}, {"stream": lobby.key}):
            await db.run(lambda: mod_staff.post(reverse(DISCONNECT, query=query)))  # noqa: B023 - called at once
        assert await socket.silent()
    assert not await LogEntry.objects.aexists()


def _ids() -> list[str]:
    return [socket.id for socket in current_hub().sockets]


async def test_staff_who_moderate_nothing_see_nothing(alice: User, lobby: Room) -> None:
    def visit() -> list[int]:
        User.objects.filter(pk=alice.pk).update(is_staff=True)
        browser = Client()
        browser.force_login(alice)
        return [browser.get(reverse(name)).status_code for name in (PAGE, DATA, DISCONNECT)]

    assert await db.run(visit) == [403, 403, 403]


def test_admin_s_index_leads_her_there(mod_staff: Client) -> None:
    assert reverse(PAGE) in mod_staff.get("/admin/").text
