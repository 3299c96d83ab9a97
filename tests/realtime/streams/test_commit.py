"""One transaction for many entries."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from chat.models import Message, Room
from counter.models import Change, Counter
from realtime import db
from realtime.access import Identity
from realtime.protocol import Refused
from realtime.streams.commit import NO_WAIT, LockWait, commit
from tests.realtime.held import held

ALICE = Identity("user:1", "alice")
BOB = Identity("user:2", "bob")
pytestmark = pytest.mark.django_db


@pytest.fixture
def lobby(db: None) -> Room:
    return Room.objects.create(name="lobby")


@pytest.fixture
def den(db: None) -> Room:
    return Room.objects.create(name="den")


def said(room: Room, text: str, id: str | None = None, by: Identity = ALICE) -> Message:
    message = Message.saying(by, text, id)
    message.stream = room
    return message


def deleted(room: Room, target: int, by: Identity = ALICE) -> Message:
    message: Message = Message.deleting(by, target)
    message.stream = room
    return message


def outcomes(results: Mapping[int, object]) -> list[str | int]:
    """By entry: its position, or the code or class of why it has none."""
    told: list[str | int] = []
    for _, result in sorted(results.items()):
        match result:
            case Message():
                told.append(result.seq)
            case Refused():
                told.append(result.code)
            case _:
                told.append(type(result).__name__)
    return told


def test_entries_of_several_streams_are_numbered_in_each_by_their_order(lobby: Room, den: Room) -> None:
    outcome = commit(Room, [said(lobby, "a"), said(den, "b"), said(lobby, "c"), said(den, "d")])
    assert outcomes(outcome.results) == [1, 1, 2, 2]
    assert [(batch.key, batch.first, batch.last) for batch in outcome.batches] == [
        (lobby.key, 1, 2),
        (den.key, 1, 2),
    ]


def test_a_batch_goes_on_where_the_stream_was(lobby: Room) -> None:
    commit(Room, [said(lobby, "a")])
    [batch] = commit(Room, [said(lobby, "b"), said(lobby, "c")]).batches
    assert (batch.first, batch.last, batch.epoch) == (2, 3, lobby.epoch)
    assert [(event.seq, event.kind) for event in batch.events] == [(2, "chat"), (3, "chat")]


def test_many_entries_cost_as_many_statements_as_two(lobby: Room) -> None:
    commit(Room, [said(lobby, "who speaks is known from here on")])
    with CaptureQueriesContext(connection) as two:
        commit(Room, [said(lobby, str(n), f"a{n}") for n in range(2)])
    with CaptureQueriesContext(connection) as many:
        commit(Room, [said(lobby, str(n), f"b{n}") for n in range(50)])
    assert len(many) == len(two)


def test_entries_of_many_streams_are_inserted_together(lobby: Room, den: Room) -> None:
    with CaptureQueriesContext(connection) as captured:
        commit(Room, [said(lobby, "a"), said(den, "b"), said(lobby, "c")])
    inserts = [query for query in captured if query["sql"].startswith('INSERT INTO "chat_message"')]
    assert len(inserts) == 1
    assert [(message.stream_id, message.seq) for message in Message.objects.order_by("stream_id", "seq")] == [
        (lobby.pk, 1),
        (lobby.pk, 2),
        (den.pk, 1),
    ]


def test_a_repeat_within_a_batch_gives_the_first(lobby: Room) -> None:
    outcome = commit(Room, [said(lobby, "a", "1"), said(lobby, "a", "1"), said(lobby, "b", "2")])
    assert outcomes(outcome.results) == [1, 1, 2]
    assert [outcome.results[index].duplicate for index in range(3)] == [False, True, False]  # type: ignore[union-attr]
    assert [(batch.first, batch.last) for batch in outcome.batches] == [(1, 2)]


def test_a_conflict_within_a_batch_fails_alone(lobby: Room) -> None:
    outcome = commit(Room, [said(lobby, "a", "1"), said(lobby, "b", "1"), said(lobby, "b", "1", by=BOB)])
    assert outcomes(outcome.results) == [1, "id_conflict", 2]


def test_repeats_alone_are_no_batch(lobby: Room) -> None:
    commit(Room, [said(lobby, "a", "1")])
    outcome = commit(Room, [said(lobby, "a", "1")])
    assert outcomes(outcome.results) == [1]
    assert outcome.batches == []


def test_what_an_entry_may_not_do_is_refused_alone(lobby: Room) -> None:
    commit(Room, [said(lobby, "a")])
    outcome = commit(Room, [said(lobby, "b"), deleted(lobby, 9), deleted(lobby, 1, by=BOB), said(lobby, "c")])
    assert outcomes(outcome.results) == [2, "not_found", "forbidden", 3]
    assert (outcome.batches[0].first, outcome.batches[0].last) == (2, 3)


def test_a_message_is_deleted_once_however_often_a_batch_asks(lobby: Room) -> None:
    commit(Room, [said(lobby, "a")])
    outcome = commit(Room, [deleted(lobby, 1), deleted(lobby, 1)])
    assert outcomes(outcome.results) == [2, "not_found"]


def test_an_entry_that_the_database_refuses_fails_alone(lobby: Room) -> None:
    bad = said(lobby, "bad")
    bad.sender_name = None  # type: ignore[assignment]
    outcome = commit(Room, [said(lobby, "a"), bad, said(lobby, "b")])
    assert outcomes(outcome.results) == [1, "IntegrityError", 2]
    assert list(Message.objects.values_list("seq", "text").order_by("seq")) == [(1, "a"), (2, "b")]


def test_an_entry_that_cannot_be_told_fails_alone(lobby: Room) -> None:
    bad = said(lobby, "bad")
    bad.text = {"not", "text"}  # type: ignore[assignment]
    outcome = commit(Room, [said(lobby, "a"), bad, said(lobby, "b")])
    assert outcomes(outcome.results) == [1, "TypeError", 2]


def test_a_lost_connection_fails_all(lobby: Room) -> None:
    def lost(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("INSERT"):
            raise OperationalError("server closed the connection")
        return execute(sql, *rest)

    with pytest.raises(OperationalError), connection.execute_wrapper(lost):
        commit(Room, [said(lobby, "a"), said(lobby, "b")])
    assert Message.objects.count() == Room.objects.get().last_seq == 0


def test_a_stream_that_is_gone_refuses_its_entries_only(lobby: Room, den: Room) -> None:
    entries = [said(lobby, "a"), said(den, "b")]
    Room.objects.filter(pk=den.pk).delete()
    for lock in (LockWait(allowed=True), NO_WAIT):
        assert outcomes(commit(Room, entries, lock=lock).results)[1] == "not_found"


def test_what_the_caller_s_hub_lacks_is_read_with_the_lock_held(lobby: Room) -> None:
    commit(Room, [said(lobby, text) for text in "abcd"])
    [batch] = commit(Room, [said(lobby, "e")], positions={lobby.pk: (lobby.epoch, 2)}).batches
    assert [event.seq for event in batch.missed] == [3, 4]
    assert (batch.first, batch.last) == (5, 5)


def test_a_database_that_is_behind_the_caller_s_hub_begins_a_new_epoch(lobby: Room) -> None:
    commit(Room, [said(lobby, "a")])
    [batch] = commit(Room, [said(lobby, "b")], positions={lobby.pk: (lobby.epoch, 7)}).batches
    assert batch.epoch == Room.objects.get().epoch != lobby.epoch
    assert (batch.first, batch.last) == (2, 2)


def test_a_hub_of_another_epoch_says_nothing_about_this_one(lobby: Room) -> None:
    commit(Room, [said(lobby, "a")])
    for position in (0, 7):
        [batch] = commit(Room, [said(lobby, "b")], positions={lobby.pk: ("old", position)}).batches
        assert (batch.epoch, batch.missed) == (lobby.epoch, [])


def test_a_hub_that_lacks_nothing_costs_no_statement(lobby: Room) -> None:
    commit(Room, [said(lobby, "a")])
    with CaptureQueriesContext(connection) as knowing:
        [batch] = commit(Room, [said(lobby, "b")], positions={lobby.pk: (lobby.epoch, 1)}).batches
    with CaptureQueriesContext(connection) as asking:
        commit(Room, [said(lobby, "c")])
    assert batch.missed == []
    assert len(knowing) == len(asking)


# What a model adds.


@pytest.fixture
def cups(db: None) -> Counter:
    """A counter: its row says all that matters."""
    return Counter.objects.create(name="cups")


def click(counter: Counter, delta: int, id: str | None = None) -> Change:
    change = Change.of(ALICE, delta, id)
    change.stream = counter
    return change


def test_what_is_not_to_be_kept_is_numbered_and_leaves_no_row(cups: Counter) -> None:
    outcome = commit(Counter, [click(cups, 1), click(cups, 2, "a"), click(cups, 4)])
    assert [result.seq for result in outcome.results.values()] == [1, 2, 3]  # type: ignore[union-attr]
    assert list(Change.objects.values_list("seq", "value")) == [(2, 3)]


def test_what_the_model_has_in_its_head_is_written_with_the_position(cups: Counter) -> None:
    commit(Counter, [click(cups, 1), click(cups, 2)])
    row = Counter.objects.get()
    assert (row.value, row.last_seq) == (3, 2)


def test_a_stream_may_show_less_than_was_appended(cups: Counter) -> None:
    [batch] = commit(Counter, [click(cups, 1), click(cups, 2)]).batches
    assert (batch.first, batch.last, [shown.seq for shown in batch.events]) == (1, 2, [2])


def test_settling_is_part_of_the_transaction(cups: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    settled: list[list[int]] = []
    monkeypatch.setattr(Counter, "settle", lambda _, added: settled.append([entry.seq for entry in added]))
    commit(Counter, [click(cups, 1), click(cups, 2)])
    assert settled == [[1, 2]]

    def fails(*_: object) -> None:
        raise OperationalError("the disk is full")

    monkeypatch.setattr(Counter, "settle", fails)
    with pytest.raises(OperationalError):
        commit(Counter, [click(cups, 1)])
    assert Counter.objects.get().value == 3


def test_repeats_and_refusals_settle_nothing(cups: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(Counter, [click(cups, 1, "a")])
    monkeypatch.setattr(Counter, "settle", pytest.fail)
    outcome = commit(Counter, [click(cups, 1, "a"), click(cups, 2, "a")])
    assert outcome.batches == []
    assert Counter.objects.get().last_seq == 1


def test_an_entry_that_is_tried_again_alone_is_applied_once(cups: Counter) -> None:
    """What the failed transaction had counted already must not count."""
    bad = click(cups, 1, "bad")
    bad.sender_name = None  # type: ignore[assignment]
    outcome = commit(Counter, [click(cups, 1), bad, click(cups, 2, "b")])
    assert type(outcome.results[1]).__name__ == "IntegrityError"
    assert (outcome.results[2].value, Counter.objects.get().value) == (3, 3)  # type: ignore[union-attr]


def test_many_clicks_cost_as_many_statements_as_two(cups: Counter) -> None:
    commit(Counter, [click(cups, 1)])
    with CaptureQueriesContext(connection) as two:
        commit(Counter, [click(cups, 1) for _ in range(2)])
    with CaptureQueriesContext(connection) as many:
        commit(Counter, [click(cups, 1) for _ in range(50)])
    assert len(many) == len(two)


# Streams that are held elsewhere.


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
async def test_a_stream_that_another_transaction_holds_is_passed_over(lobby: Room, den: Room) -> None:
    async with held(lobby):
        outcome = await db.run(commit, Room, [said(lobby, "a"), said(den, "b")], lock=NO_WAIT)
    assert outcomes(outcome.results) == [1]
    assert outcome.results[1].stream_id == den.pk  # type: ignore[union-attr]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
async def test_a_held_stream_is_waited_for_no_longer_than_allowed(lobby: Room) -> None:
    async with held(lobby):
        with pytest.raises(db.Unavailable):
            await db.run(commit, Room, [said(lobby, "a")], lock=LockWait(allowed=True, seconds=0.05))
