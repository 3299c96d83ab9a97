"""The hub: who in this process hears what."""

import asyncio
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import OperationalError, transaction

from chat.events import TypingEvent
from chat.models import Room
from realtime import db
from realtime.hub import hub as fanout
from realtime.hub.hub import close_hub, connection_count, current_hub
from realtime.hub.subscription import Subscription
from realtime.protocol import Event
from realtime.testing import until
from tests.realtime.hub.ear import Ear
from tests.realtime.layers import RecordingLayer
from tests.realtime.listening import ALICE, listen, write

in_threads = pytest.mark.django_db(transaction=True)


@pytest.fixture
def room(transactional_db: None) -> Room:
    return Room.objects.create(name="lobby")


async def ears(group: str, *found: Ear) -> None:
    for ear in found:
        await current_hub().join(group, ear.subscription)


# Unstored events.


async def publish(group: str, event: Event | str | bytes, **but: Any) -> None:
    current_hub().publish(group, event, **but)
    await asyncio.sleep(0)  # they are sent at the end of the turn


async def test_what_comes_in_one_turn_is_one_write_for_each_socket() -> None:
    outbox = Mock()
    await current_hub().join("chat.broadcast", Subscription(outbox))
    for text in "abc":
        current_hub().publish("chat.broadcast", text)
    await asyncio.sleep(0)
    assert [[each.data for each in call.args[0].frames] for call in outbox.offer.mock_calls] == [["a", "b", "c"]]


async def test_of_what_comes_together_each_socket_gets_what_is_for_it_in_order() -> None:
    one, two = Ear("user:1"), Ear("user:2", frozenset({"typing"}))
    await ears("chat.room.1", one, two)
    current_hub().publish("chat.room.1", "a")
    current_hub().publish("chat.room.1", TypingEvent(sender="alice"), but_key="user:1")
    current_hub().publish("chat.room.1", "b", but=two.subscription)
    await publish("chat.room.1", "c")
    assert one.heard == ["a", "b", "c"]
    assert two.heard == ['{"type":"typing","sender":"alice"}']


async def test_everybody_in_a_group_hears_and_nobody_else() -> None:
    one, two, other = Ear(), Ear(), Ear()
    await ears("chat.broadcast", one, two)
    await ears("chat.relay", other)
    await publish("chat.broadcast", "hi")
    await publish("chat.broadcast", b"\xff")
    assert one.heard == two.heard == ["hi", b"\xff"]
    assert other.heard == []


async def test_everybody_but_one_socket_hears() -> None:
    one, two = Ear(), Ear()
    await ears("chat.relay", one, two)
    await publish("chat.relay", "hi", but=one.subscription)
    assert (one.heard, two.heard) == ([], ["hi"])


async def test_everybody_but_one_person_hears() -> None:
    tab, another_tab, bob = Ear("user:1"), Ear("user:1"), Ear("user:2")
    await ears("chat.room.1", tab, another_tab, bob)
    await publish("chat.room.1", TypingEvent(sender="alice"), but_key="user:1")
    assert (tab.heard, another_tab.heard) == ([], [])
    assert bob.heard == ['{"type":"typing","sender":"alice"}']


async def test_a_socket_hears_the_kinds_it_wants() -> None:
    lines, everything = Ear(kinds=frozenset({"chat", "system"})), Ear()
    await ears("chat.room.1", lines, everything)
    await publish("chat.room.1", TypingEvent(sender="alice"))
    assert (lines.heard, len(everything.heard)) == ([], 1)


async def test_a_socket_hears_nothing_before_it_was_told_where_it_is() -> None:
    ear = Ear(opened=False)
    await ears("chat.room.1", ear)
    await publish("chat.room.1", "too early")
    assert ear.heard == []


async def test_who_left_hears_nothing_and_may_leave_again() -> None:
    ear = Ear()
    await ears("chat.relay", ear)
    current_hub().leave("chat.relay", ear.subscription)
    current_hub().leave("chat.relay", ear.subscription)
    current_hub().leave("never there", ear.subscription)
    await publish("chat.relay", "hi")
    assert ear.heard == []


async def test_a_frame_is_made_once_for_everybody() -> None:
    outbox = Mock()
    for _ in range(3):
        await current_hub().join("chat.broadcast", Subscription(outbox))
    await publish("chat.broadcast", "hi")
    first, second, third = (call.args[0] for call in outbox.offer.mock_calls)
    assert first is second is third


async def test_other_processes_are_told_of_unstored_events(told: type[RecordingLayer]) -> None:
    current_hub().publish("chat.room.1", TypingEvent(sender="alice"), but_key="user:1")
    current_hub().publish("chat.broadcast", b"\xff")
    await until(lambda: len(told.told) == 2)
    items = {group: message["items"] for group, message in told.told}
    assert items["chat.room.1"] == [
        {"t": "event", "kind": "typing", "data": '{"type":"typing","sender":"alice"}', "but_key": "user:1", "v": 1}
    ]
    assert items["chat.broadcast"][0]["data"] == b"\xff"


async def test_what_happens_in_one_turn_is_told_together(told: type[RecordingLayer]) -> None:
    for number in range(100):
        current_hub().publish("chat.broadcast", str(number))
    await until(lambda: told.told)
    assert [item["data"] for item in told.told[0][1]["items"]] == [str(number) for number in range(100)]


# Stored entries.


@in_threads
async def test_what_this_process_committed_is_delivered_at_once(room: Room, told: type[RecordingLayer]) -> None:
    listener = await listen(current_hub(), room)
    current_hub().committed(await write(room, "hi"))
    assert listener.seqs == [1]
    await until(lambda: told.batches() == [(1, 1)])


@in_threads
async def test_a_verb_called_from_a_thread_reaches_this_process_s_sockets(room: Room) -> None:
    listener = await listen(current_hub(), room)
    await db.run(room.post, ALICE, "from a view")
    await until(lambda: listener.seqs == [1])
    assert current_hub().position(room.key) == (room.epoch, 1)


@in_threads
async def test_a_transaction_s_entries_arrive_together_after_its_commit(room: Room) -> None:
    listener = await listen(current_hub(), room)

    def two_at_once() -> None:
        with transaction.atomic():
            room.post(ALICE, "a")
            room.post(ALICE, "b")
            inside.append(len(listener.seqs))

    inside: list[int] = []
    await db.run(two_at_once)
    await until(lambda: listener.seqs == [1, 2])
    assert inside == [0]


@in_threads
async def test_a_room_nobody_here_listens_to_has_no_position(room: Room) -> None:
    assert current_hub().position(room.key) is None
    current_hub().committed(await write(room, "hi"))
    assert current_hub().position(room.key) is None


# The position check.


@in_threads
async def test_a_lost_hint_is_found_by_itself(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "CHECK_SECONDS", 0.05)
    listener = await listen(current_hub(), room)
    await write(room, "lost", "and lost")
    await until(lambda: listener.seqs == [1, 2])


@in_threads
async def test_a_check_asks_once_for_all_rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = [await db.run(Room.objects.create, name=f"room{number}") for number in range(5)]
    listeners = [await listen(current_hub(), room) for room in rooms]
    asked: list[int] = []
    heads = Room.heads.__func__  # type: ignore[attr-defined]

    def counting(model: type[Room], pks: list[int]) -> object:
        asked.append(len(pks))
        return heads(model, pks)

    monkeypatch.setattr(Room, "heads", classmethod(counting))
    for room in rooms:
        await write(room, "lost")
    await current_hub().check_positions()
    await until(lambda: all(listener.seqs == [1] for listener in listeners))
    assert asked == [5]


@in_threads
async def test_a_check_that_finds_all_well_repairs_nothing(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = await listen(current_hub(), room)
    listener.stream.offer(await write(room, "hi"))
    monkeypatch.setattr(listener.stream, "repair", lambda: pytest.fail("nothing is missing"))
    await current_hub().check_positions()
    assert listener.seqs == [1]


@in_threads
async def test_a_check_survives_a_database_that_is_away(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = await listen(current_hub(), room)
    await write(room, "lost")

    def away(_pks: object) -> None:
        raise OperationalError("the database restarts")

    with monkeypatch.context() as patch:
        patch.setattr(Room, "heads", away)
        await current_hub().check_positions()
    await current_hub().check_positions()
    await until(lambda: listener.seqs == [1])


@in_threads
async def test_a_check_finds_deleted_rooms(room: Room) -> None:
    listener = await listen(current_hub(), room)
    await db.run(Room.objects.all().delete)
    await current_hub().check_positions()
    await until(lambda: listener.gone)


@in_threads
async def test_a_check_finds_a_renewed_epoch(room: Room) -> None:
    listener = await listen(current_hub(), room)
    await db.run(Room.renew_epoch, room.pk, room.epoch)
    await current_hub().check_positions()
    await until(lambda: listener.resets == 1)


# The hub itself.


async def test_there_is_one_hub_for_a_loop() -> None:
    assert current_hub() is current_hub()
    first = current_hub()
    await close_hub()
    await close_hub()
    assert current_hub() is not first


async def test_a_closed_hub_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    current_hub().publish("chat.relay", "hi")
    await asyncio.sleep(0)
    await close_hub()
    assert asyncio.all_tasks() == before


async def test_sockets_of_the_process_are_counted() -> None:
    before = connection_count()
    current_hub().sockets.total += 2
    assert connection_count() == before + 2
    await close_hub()
