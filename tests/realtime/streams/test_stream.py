"""Streams and entries as synchronous code uses them: a view, a shell, a team's own program. Rooms stand for all."""

import asyncio
import json
import logging
from typing import Any

import pytest
from django.db import connection, transaction
from django.forms import modelform_factory
from pytest_django import DjangoAssertNumQueries, Settings

from chat.models import Message, Room
from realtime import db
from realtime.access import Identity
from realtime.protocol import Refused
from realtime.streams.batch import PAGE, Head
from realtime.streams.stream import new_epoch
from tests.realtime.layers import RecordingLayer

ALICE = Identity("user:1", "alice")
BOB = Identity("user:2", "bob")


@pytest.fixture
def room(db: None) -> Room:
    return Room.objects.create(name="lobby")


def code_of(refused: pytest.ExceptionInfo[Refused]) -> str:
    return refused.value.code


def test_epochs_are_short_and_never_the_same() -> None:
    epochs = {new_epoch() for _ in range(1000)}
    assert len(epochs) == 1000
    assert all(len(epoch) == 8 and epoch.isalnum() for epoch in epochs)


# Appending.


def test_positions_begin_with_one_and_have_no_hole(room: Room) -> None:
    assert [room.post(ALICE, text).seq for text in "abc"] == [1, 2, 3]
    assert Room.objects.get().last_seq == 3


def test_an_entry_has_the_database_s_time(room: Room) -> None:
    first, second = room.post(ALICE, "a"), room.post(ALICE, "b")
    assert first.created_at.utcoffset() is not None
    assert first.created_at <= second.created_at


def test_a_repeated_id_gives_the_first_entry(room: Room) -> None:
    first = room.post(ALICE, "hi", "1")
    again = room.post(ALICE, "hi", "1")
    assert not first.duplicate
    assert again.duplicate
    assert (again.pk, again.seq) == (first.pk, first.seq)
    assert Room.objects.get().last_seq == 1


def test_a_used_id_with_another_text_is_a_conflict(room: Room) -> None:
    room.post(ALICE, "hi", "1")
    with pytest.raises(Refused) as refused:
        room.post(ALICE, "ho", "1")
    assert code_of(refused) == "id_conflict"
    assert Message.objects.count() == 1


def test_ids_are_each_sender_s_and_each_room_s_own(room: Room) -> None:
    other = Room.objects.create(name="other")
    entries = [room.post(ALICE, "hi", "1"), room.post(BOB, "ho", "1"), other.post(ALICE, "hey", "1")]
    assert not any(entry.duplicate for entry in entries)


def test_without_an_id_nothing_is_a_repeat(room: Room) -> None:
    assert [room.post(ALICE, "hi").seq for _ in range(2)] == [1, 2]


def test_a_room_that_is_gone_is_not_found(room: Room) -> None:
    Room.objects.all().delete()
    with pytest.raises(Refused) as refused:
        Room(pk=room.pk, name="lobby").post(ALICE, "hi")
    assert code_of(refused) == "not_found"


@pytest.mark.django_db(transaction=True)
async def test_writers_at_the_same_time_leave_no_hole_and_no_double() -> None:
    room = await db.run(lambda: Room.objects.create(name="lobby"))
    written = await asyncio.gather(*[db.run(room.post, ALICE, str(number)) for number in range(40)])
    assert sorted(message.seq for message in written) == list(range(1, 41))


@pytest.mark.django_db(transaction=True)
async def test_the_same_id_at_the_same_time_is_stored_once() -> None:
    room = await db.run(lambda: Room.objects.create(name="lobby"))
    written = await asyncio.gather(*[db.run(room.post, ALICE, "hi", "1") for _ in range(8)])
    assert {message.seq for message in written} == {1}
    assert sorted(message.duplicate for message in written) == [False] + [True] * 7


# Saving.


def test_a_form_that_was_open_meanwhile_does_not_rewind_the_room(room: Room) -> None:
    form = modelform_factory(Room, fields=["title"])({"title": "The lobby"}, instance=Room.objects.get())
    room.post(ALICE, "hi")
    form.save()
    stored = Room.objects.get()
    assert (stored.title, stored.last_seq, stored.epoch) == ("The lobby", 1, room.epoch)


def test_a_stale_copy_brings_no_old_epoch_back(room: Room) -> None:
    Room.renew_epoch(room.pk, room.epoch)
    room.save()
    assert Room.objects.get().epoch != room.epoch


# Announcing.


@pytest.mark.django_db(transaction=True)
def test_an_entry_is_announced_when_its_transaction_commits_and_not_before(
    room: Room, told: type[RecordingLayer]
) -> None:
    with transaction.atomic():
        room.post(ALICE, "hi")
        assert told.batches() == []
    assert told.batches() == [(1, 1)]
    assert told.told[0][0] == f"chat.room.{room.pk}"


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_announced_to_nobody(room: Room, told: type[RecordingLayer]) -> None:
    with transaction.atomic():
        room.post(ALICE, "hi")
        transaction.set_rollback(True)
    assert told.batches() == []
    assert room.post(ALICE, "ho").seq == 1


@pytest.mark.django_db(transaction=True)
def test_a_repeat_is_not_announced_again(room: Room, told: type[RecordingLayer]) -> None:
    room.post(ALICE, "hi", "1")
    room.post(ALICE, "hi", "1")
    assert told.batches() == [(1, 1)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("layer", ["BrokenLayer", "OddlyBrokenLayer", "SilentLayer"])
def test_a_broken_layer_fails_nobody_whose_entry_is_committed(
    layer: str, room: Room, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": f"tests.realtime.layers.{layer}"}}
    assert room.post(ALICE, "hi").seq == 1
    assert Message.objects.count() == 1
    assert [record for record in caplog.records if record.levelno >= logging.WARNING]


# Reading.


def seqs(entries: list[object]) -> list[int]:
    return [entry.seq for entry in entries]  # type: ignore[attr-defined]


@pytest.fixture
def five(room: Room) -> Room:
    """A room with five messages."""
    for number in range(1, 6):
        room.post(ALICE, str(number))
    return room


def test_since_gives_what_lies_between_two_positions(five: Room) -> None:
    assert seqs([*five.since(1, until=4)]) == [2, 3, 4]


def test_history_gives_the_newest_oldest_first_and_whether_there_is_more(five: Room) -> None:
    entries, more = five.history(limit=2)
    assert (seqs([*entries]), more) == ([4, 5], True)


def test_history_goes_back_from_a_position(five: Room) -> None:
    entries, more = five.history(before=4, limit=3)
    assert (seqs([*entries]), more) == ([1, 2, 3], False)
    assert five.history(before=1) == ([], False)


def test_a_snapshot_is_row_and_entries_in_one_statement(
    five: Room, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        snapshot = Room.read(five.pk)
    assert snapshot is not None
    assert (snapshot.epoch, snapshot.first_seq, snapshot.last_seq) == (five.epoch, 1, 5)
    assert seqs([*snapshot.events]) == [1, 2, 3, 4, 5]


def test_a_snapshot_after_a_position_has_what_follows(
    five: Room, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        snapshot = Room.read(five.pk, 3)
    assert snapshot is not None
    assert seqs([*snapshot.events]) == [4, 5]


def test_a_snapshot_of_a_room_where_nothing_was_said_is_empty(room: Room) -> None:
    snapshot = Room.read(room.pk)
    assert snapshot is not None
    assert (snapshot.last_seq, snapshot.events) == (0, [])


def test_a_snapshot_of_what_is_gone_is_none(room: Room) -> None:
    assert Room.read(room.pk + 1) is None
    assert Room.read(room.pk + 1, 3) is None


def test_a_snapshot_holds_a_page_of_the_newest_or_of_the_next(room: Room) -> None:
    Message.objects.bulk_create(
        Message(stream=room, seq=seq, sender_key="user:1", sender_name="alice", text="x", created_at=room.created_at)
        for seq in range(1, PAGE + 11)
    )
    Room.objects.update(last_seq=PAGE + 10)
    newest, following = Room.read(room.pk), Room.read(room.pk, 4)
    assert newest is not None
    assert following is not None
    assert (newest.events[0].seq, newest.events[-1].seq) == (11, PAGE + 10)
    assert (following.events[0].seq, following.events[-1].seq) == (5, PAGE + 4)


@pytest.mark.parametrize("after", [None, 0, 5])
def test_an_entry_that_comes_between_two_statements_is_in_the_snapshot(room: Room, after: int | None) -> None:
    """A row that says 6 with entries up to 5 would look as if the sixth had been pruned."""
    if after:
        for number in range(after):
            room.post(ALICE, str(number))

    def write_after_it(execute: Any, *statement: Any) -> Any:
        result = execute(*statement)
        if not written:
            written.append(True)
            written.append(room.post(ALICE, "meanwhile"))
        return result

    written: list[Any] = []
    with connection.execute_wrapper(write_after_it):
        snapshot = Room.read(room.pk, after)
    assert snapshot is not None
    assert snapshot.last_seq == (snapshot.events[-1].seq if snapshot.events else after or 0)


def test_a_snapshot_after_entries_that_were_pruned_says_how_far_the_room_is(five: Room) -> None:
    Message.objects.all().delete()
    snapshot = Room.read(five.pk, 3)
    assert snapshot is not None
    assert (snapshot.last_seq, snapshot.events) == (5, [])


def test_heads_of_many_are_one_query(five: Room, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    other = Room.objects.create(name="other")
    with django_assert_num_queries(1):
        heads = Room.heads([five.pk, other.pk, 10**9])
    assert heads == {five.pk: Head(five.epoch, 1, 5), other.pk: Head(other.epoch, 1, 0)}


def test_an_epoch_is_renewed_once_however_many_notice(room: Room) -> None:
    Room.renew_epoch(room.pk, room.epoch)
    renewed = Room.objects.get().epoch
    Room.renew_epoch(room.pk, room.epoch)
    assert Room.objects.get().epoch == renewed != room.epoch


def test_a_stored_entry_is_its_event_as_json(room: Room) -> None:
    stored = room.post(ALICE, "hi", "1").stored()
    event = json.loads(stored.text)
    assert (stored.kind, stored.seq, stored.rewrites) == ("chat", 1, False)
    assert (event["type"], event["seq"], event["message"], event["id"]) == ("chat", 1, "hi", "1")
    assert event["timestamp"].endswith("Z")
