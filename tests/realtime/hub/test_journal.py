"""Entries of sockets: what arrives while a commit runs goes together."""

import asyncio
from typing import Any

import pytest

from chat.models import Message, Room
from realtime import db
from realtime.access import Identity
from realtime.hub import journal as module
from realtime.hub.hub import current_hub
from realtime.hub.journal import close_journal, current_journal
from realtime.protocol import Refused
from realtime.streams.commit import Outcome, commit
from realtime.testing import until
from tests.realtime.held import held
from tests.realtime.hub.ear import Ear
from tests.realtime.layers import RecordingLayer

pytestmark = pytest.mark.django_db(transaction=True)
ALICE = Identity("user:1", "alice")


@pytest.fixture
def room() -> Room:
    return Room.objects.create(name="lobby")


@pytest.fixture
def den() -> Room:
    return Room.objects.create(name="den")


def say(room: Room, text: str, id: str | None = None) -> "asyncio.Future[Message]":
    return current_journal().append(room, Message.saying(ALICE, text, id))


async def test_an_entry_is_committed_when_it_is_acknowledged(room: Room) -> None:
    message = await say(room, "hi")
    stored = await db.run(Message.objects.get)
    assert (stored.seq, stored.text) == (message.seq, "hi") == (1, "hi")


async def test_entries_are_stored_in_the_order_they_were_handed_in(room: Room) -> None:
    messages = await asyncio.gather(*[say(room, str(number)) for number in range(100)])
    assert [message.seq for message in messages] == list(range(1, 101))


async def test_what_arrives_while_a_commit_runs_goes_into_the_next_one_together(
    room: Room, told: type[RecordingLayer]
) -> None:
    async with held(room) as release:
        first = say(room, "first")
        await asyncio.sleep(0.05)  # it is on its way to the database
        rest = [say(room, str(number)) for number in range(10)]
        release.set()
        await asyncio.gather(first, *rest)
    await until(lambda: sum(last - first + 1 for first, last in told.batches()) == 11)
    assert told.batches() == [(1, 1), (2, 11)]


async def test_a_batch_is_bounded(room: Room, told: type[RecordingLayer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 10)
    await asyncio.gather(*[say(room, str(number)) for number in range(25)])
    await until(lambda: len(told.batches()) == 3)
    assert told.batches() == [(1, 10), (11, 20), (21, 25)]


async def test_several_streams_go_into_one_transaction(room: Room, den: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    commits: list[int] = []

    def counting(model: type[Room], entries: list[Message], **options: Any) -> Outcome:
        commits.append(len(entries))
        return commit(model, entries, **options)

    monkeypatch.setattr(module, "commit", counting)
    await asyncio.gather(say(room, "a"), say(den, "b"), say(room, "c"))
    assert commits == [3]


async def test_a_repeat_gives_the_first_entry(room: Room) -> None:
    first = await say(room, "hi", "1")
    again = await say(room, "hi", "1")
    assert (again.seq, again.duplicate) == (first.seq, True)


async def test_what_is_refused_fails_alone(room: Room) -> None:
    conflict = [say(room, "a", "1"), say(room, "b", "1"), say(room, "c", "2")]
    results = await asyncio.gather(*conflict, return_exceptions=True)
    assert isinstance(results[1], Refused)
    assert results[1].code == "id_conflict"
    assert [results[index].seq for index in (0, 2)] == [1, 2]  # type: ignore[union-attr]


async def test_an_entry_that_cannot_be_stored_fails_alone(room: Room) -> None:
    bad = Message.saying(ALICE, "bad", None)
    bad.sender_name = None  # type: ignore[assignment]
    results = await asyncio.gather(
        say(room, "a"), current_journal().append(room, bad), say(room, "b"), return_exceptions=True
    )
    assert [isinstance(result, Message) for result in results] == [True, False, True]


async def test_a_room_that_is_gone_is_not_found(room: Room) -> None:
    await db.run(Room.objects.all().delete)
    with pytest.raises(Refused) as refused:
        await say(Room(pk=room.pk, name="lobby"), "hi")
    assert refused.value.code == "not_found"


async def test_a_locked_database_is_unavailable_in_time_and_then_recovers(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "WAIT_SECONDS", 0.2)
    async with held(room):
        with pytest.raises(db.Unavailable):
            await say(room, "hi", "1")
    monkeypatch.undo()
    message = await say(room, "hi", "1")
    assert message.seq == 1
    assert await db.run(Message.objects.count) == 1


async def test_nobody_waits_longer_for_having_others_before(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "WAIT_SECONDS", 0.2)
    monkeypatch.setattr(module, "BATCH", 1)
    async with held(room), asyncio.timeout(3):
        results = await asyncio.gather(*[say(room, "x") for _ in range(30)], return_exceptions=True)
    assert all(isinstance(result, db.Unavailable) for result in results)


async def test_what_nobody_waits_for_any_more_is_not_tried(room: Room) -> None:
    async with held(room) as release:
        first = say(room, "first")
        await asyncio.sleep(0.05)  # it is on its way to the database
        say(room, "given up").cancel()
        release.set()
        await first
    await say(room, "last")
    texts = await db.run(lambda: list(Message.objects.order_by("seq").values_list("text", flat=True)))
    assert texts == ["first", "last"]


async def test_what_was_committed_is_delivered_here_before_it_is_acknowledged(room: Room) -> None:
    ear = Ear()
    stream = await current_hub().stream(room.key, ear.subscription)
    start = await stream.locate(None, None)
    async for _ in stream.catch_up(ear.subscription, start.seq):
        pass
    handed_in = say(room, "hi")
    handed_in.add_done_callback(lambda _: ear.heard.append("acknowledged"))
    await handed_in
    await until(lambda: len(ear.heard) == 2)
    assert ear.heard[1] == "acknowledged"


async def test_close_finishes_what_is_under_way(room: Room) -> None:
    handed_in = [say(room, str(number)) for number in range(10)]
    await close_journal()
    assert [message.seq for message in await asyncio.gather(*handed_in)] == list(range(1, 11))


@pytest.mark.postgresql
async def test_a_stream_that_is_held_delays_no_other(room: Room, den: Room) -> None:
    async with held(room) as release:
        waiting = [say(room, "1"), say(room, "2")]
        assert (await say(den, "at once")).seq == 1
        assert not any(future.done() for future in waiting)
        waiting.append(say(room, "3"))
        assert (await say(den, "and again")).seq == 2
        release.set()
        assert [message.seq for message in await asyncio.gather(*waiting)] == [1, 2, 3]


@pytest.mark.postgresql
async def test_a_stream_that_stays_held_is_unavailable_and_delays_no_other(
    room: Room, den: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_SECONDS", 0.1)
    async with held(room):
        with pytest.raises(db.Unavailable):
            await say(room, "1")
        assert (await say(den, "at once")).seq == 1
    assert (await say(room, "1")).seq == 1
