"""What a process says of its sockets, and what that is for all processes together."""

import pytest
from django.contrib.auth.models import User

from chat.models import Room
from realtime.connections import report as module
from realtime.connections.report import Report, Wanted, merge
from realtime.hub.hub import current_hub
from realtime.testing import connect

pytestmark = pytest.mark.django_db(transaction=True)
LOBBY = "/ws/chat/lobby/"


def report(wanted: Wanted | None = None) -> Report:
    return Report.of(current_hub().sockets, wanted or Wanted())


async def test_a_row_says_who_is_where(lobby: Room, alice: User) -> None:
    async with connect(LOBBY, user=alice) as socket:
        await socket.next("joined")
        [row] = report().rows
    assert (row["who"], row["user"], row["route"], row["streams"]) == ("alice", str(alice.pk), LOBBY, [lobby.key])
    assert row["messages_out"] > 0


async def test_the_newest_are_told_of_and_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS", 1)
    async with connect("/ws/echo/"), connect("/ws/relay/"):
        found = report()
    assert [row["route"] for row in found.rows] == ["/ws/relay/"]
    assert found.totals["connections"] == 2


@pytest.mark.parametrize(
    ("wanted", "routes"),
    [
        (Wanted(text="ECHO"), ["/ws/echo/"]),
        (Wanted(text="\uff25cho"), ["/ws/echo/"]),
        (Wanted(text="guest-"), ["/ws/relay/"]),
        (Wanted({"user": "0"}), []),
        (Wanted(text="nowhere"), []),
    ],
)
async def test_sockets_are_found_by_what_is_known_of_them(wanted: Wanted, routes: list[str], alice: User) -> None:
    async with connect("/ws/echo/", user=alice), connect("/ws/relay/"):
        assert [row["route"] for row in report(wanted).rows] == routes


async def test_processes_are_put_together_the_newest_first() -> None:
    async with connect("/ws/echo/"):
        one = report()
        async with connect("/ws/relay/") as socket:
            two = report(Wanted(text="relay"))
            await socket.disconnect()
    found = merge([one, two], complete=True)
    assert [row["route"] for row in found.rows] == ["/ws/relay/", "/ws/echo/"]
    assert (found.totals["connections"], found.processes, found.more) == (2, 2, 0)


def test_what_one_process_left_out_is_more() -> None:
    nobody = Report.of((), Wanted())
    many = Report([], {**nobody.totals, "connections": 7})
    assert merge([nobody, many], complete=False).more == 7
