"""A board as its clients and a team's own code have it."""

from collections.abc import AsyncIterator

import pytest
from django.contrib.auth.models import User

from examples.whiteboard.events import Put
from examples.whiteboard.models import Board, Note
from realtime import db
from realtime.access import AccessLevel, Identity
from realtime.testing import connect, tidy

pytestmark = pytest.mark.django_db(transaction=True)
PLANS = "/ws/board/plans/"
BAKER = Identity("program:baker", "baker")


@pytest.fixture(autouse=True)
async def _tidy() -> AsyncIterator[None]:
    yield
    await tidy()


@pytest.fixture
async def plans() -> Board:
    """A board that guests may read."""
    board: Board = await db.run(Board.objects.create, name="plans", guest_access=AccessLevel.READ)
    return board


@pytest.fixture
async def alice() -> User:
    """A member."""
    return await db.run(User.objects.create_user, "alice")


async def test_what_a_member_puts_up_a_guest_sees(plans: Board, alice: User) -> None:
    async with connect(PLANS) as guest, connect(PLANS, user=alice) as socket:
        await socket.command("put", text="Cake", x=10, y=20, id="1")
        note = await guest.next("note")
        assert (note["sender"], note["text"], note["x"], note["y"]) == ("alice", "Cake", 10, 20)
        await socket.command("put", text="Cake", x=50, y=60, id="2", target=note["seq"])
        assert (await guest.next("note", target=note["seq"]))["x"] == 50
        await socket.command("delete", seq=note["seq"], id="3")
        assert (await guest.next("deleted"))["target"] == note["seq"]


async def test_a_guest_who_may_read_may_not_write(plans: Board) -> None:
    async with connect(PLANS) as guest:
        await guest.next("joined")
        await guest.command("put", text="Cake", x=10, y=20, id="1")
        assert (await guest.next("error"))["code"] == "forbidden"
        await guest.command("delete", seq=1, id="2")
        assert (await guest.next("error"))["code"] == "forbidden"


async def test_who_was_away_is_told_what_was_published_meanwhile(plans: Board) -> None:
    async with connect(PLANS) as guest:
        left = await guest.next("joined")
    await db.run(plans.put, BAKER, Put(text="Candles", x=0, y=0))
    async with connect(f"{PLANS}?since={left['seq']}&epoch={left['epoch']}") as guest:
        joined = await guest.next("joined")
    assert joined["recovered"]
    assert [note["text"] for note in joined["messages"]] == ["Candles"]


async def test_the_same_id_puts_up_one_note(plans: Board, alice: User) -> None:
    async with connect(PLANS, user=alice) as socket:
        for _ in range(2):
            await socket.command("put", text="Cake", x=10, y=20, id="1")
        assert (await socket.next("note", duplicate=True))["seq"] == 1


async def test_a_note_is_read_back_where_it_was_moved_to(plans: Board) -> None:
    note = await db.run(plans.put, BAKER, Put(text="Candles", x=0, y=0))
    await db.run(plans.put, BAKER, Put(text="12 candles", x=7, y=8, target=note.seq))
    async with connect(PLANS) as guest:
        [first, change] = (await guest.next("joined"))["messages"]
    assert (first["text"], first["x"], first["y"]) == (change["text"], change["x"], change["y"]) == ("12 candles", 7, 8)


async def test_what_was_taken_away_leaves_no_text_of_any_of_its_changes(plans: Board) -> None:
    note = await db.run(plans.put, BAKER, Put(text="A secret", x=0, y=0))
    await db.run(plans.put, BAKER, Put(text="A secret!", x=1, y=1, target=note.seq))
    await db.run(plans.append, Note.deleting(BAKER, note.seq))
    assert await db.run(lambda: set(Note.objects.values_list("text", flat=True))) == {""}
    async with connect(PLANS) as guest:
        told = (await guest.next("joined"))["messages"]
    assert [(event["type"], event.get("deleted")) for event in told] == [
        ("note", True),
        ("note", True),
        ("deleted", None),
    ]


async def test_what_is_gone_cannot_be_changed(plans: Board, alice: User) -> None:
    async with connect(PLANS, user=alice) as socket:
        await socket.next("joined")
        await socket.command("put", text="Cake", x=10, y=20, id="1", target=5)
        assert (await socket.next("error"))["message"] == "There is no such note."


def test_a_change_counts_where_it_is_written_too() -> None:
    assert Note(text="abc", x=0, y=0).size == 3
    assert Note(text="abc", x=0, y=0, target=1).size == 6
