"""How long entries stay, what is left of them, and how all of them go at once. Rooms stand for all."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import AsyncClient
from django.utils import timezone
from pytest_django import Settings

from chat.models import Message, Room
from notifications.models import Notification, Topic
from realtime import db
from realtime.access import Identity
from realtime.hub.hub import current_hub
from realtime.protocol import Refused
from realtime.streams import history
from realtime.streams.retention import prune
from realtime.testing import Event, Socket, connect
from tests.ask import ask
from tests.realtime.layers import RecordingLayer
from tests.realtime.past import older

pytestmark = pytest.mark.django_db
ALICE = Identity("user:1", "alice")
LOBBY = "/ws/chat/lobby/"
EVER = {"keep_days": 0, "keep_entries": 0}


@pytest.fixture
def five(lobby: Room) -> Room:
    """A room with five messages; the ids of the first two are `a` and `b`."""
    for number, client_id in enumerate(("a", "b", None, None, None), 1):
        lobby.post(ALICE, str(number), client_id)
    return lobby


def keep(room: Room, **limits: int) -> Room:
    """The room with those limits, and no other, after pruning."""
    Room.objects.filter(pk=room.pk).update(**{**EVER, **limits})
    prune(Room.objects.get(pk=room.pk))
    return Room.objects.get(pk=room.pk)


def shown(room: Room) -> list[int]:
    """The positions that readers get."""
    return [stored.seq for stored in room.history()[0]]


def rows(room: Room) -> list[tuple[int, str]]:
    """Position and text of what is stored."""
    return list(Message.objects.filter(stream=room).order_by("seq").values_list("seq", "text"))


# What is past its time.


def test_what_is_older_than_the_days_goes(five: Room) -> None:
    older(five, 1, 2, 3, days=3.1)
    older(five, 4, days=2.9)
    assert shown(keep(five, keep_days=3)) == [4, 5]


def test_what_is_more_than_the_number_goes(five: Room) -> None:
    assert shown(keep(five, keep_entries=2)) == [4, 5]


@pytest.mark.parametrize(("days", "entries"), [(3, 2), (2, 4), (3, 0), (0, 2)])
def test_what_is_past_either_goes(days: int, entries: int, five: Room) -> None:
    older(five, 1, 2, 3, days=3.1)
    assert shown(keep(five, keep_days=days, keep_entries=entries)) == [4, 5]


def test_0_means_for_ever(five: Room) -> None:
    older(five, days=10_000)
    assert shown(keep(five, **EVER)) == [1, 2, 3, 4, 5]
    assert len(rows(five)) == 5


def test_a_new_room_keeps_30_days_and_10_000_entries() -> None:
    room = Room.objects.create(name="new")
    assert (room.keep_days, room.keep_entries) == (30, 10_000)


def test_an_old_entry_that_follows_a_young_one_stays_so_that_there_is_no_hole(five: Room) -> None:
    older(five, 1, 3, 4, days=3)
    assert shown(keep(five, keep_days=2)) == [2, 3, 4, 5]


def test_pruning_raises_the_first_position_and_nothing_else(five: Room) -> None:
    room = keep(five, keep_entries=2)
    assert (room.first_seq, room.last_seq, room.epoch) == (4, 5, five.epoch)


def test_where_all_is_too_old_positions_go_on(five: Room) -> None:
    older(five, days=3)
    room = keep(five, keep_days=2)
    assert (room.first_seq, shown(room)) == (6, [])
    assert room.post(ALICE, "new").seq == 6
    assert shown(room) == [6]


def test_a_room_in_which_nothing_was_said_has_nothing_to_prune(lobby: Room) -> None:
    assert keep(lobby, keep_days=1, keep_entries=1).first_seq == 1


def test_what_was_pruned_does_not_come_back_when_more_is_kept(five: Room) -> None:
    keep(five, keep_entries=2)
    assert shown(keep(five, keep_entries=100)) == [4, 5]


def test_deletions_are_pruned_like_any_entry(five: Room) -> None:
    five.delete_message(ALICE, 1)
    assert keep(five, keep_entries=1).first_seq == 6
    assert shown(keep(five, keep_entries=1)) == [6]


@pytest.mark.parametrize("days", [-400, 400])
@pytest.mark.postgresql
def test_a_wrong_clock_in_a_process_prunes_nothing(five: Room, days: int, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(days=days))
    assert shown(keep(five, keep_days=1)) == [1, 2, 3, 4, 5]


# What is left of it.


def test_a_pruned_entry_without_an_id_is_deleted_at_once(five: Room) -> None:
    keep(five, keep_entries=1)
    assert [seq for seq, _ in rows(five)] == [1, 2, 5]


def test_a_pruned_entry_with_an_id_stays_empty(five: Room) -> None:
    keep(five, keep_entries=1)
    assert rows(five) == [(1, ""), (2, ""), (5, "5")]


def test_a_pruned_notification_keeps_nothing_of_its_content() -> None:
    topic = Topic.objects.create(name="alerts", keep_entries=1)
    for client_id in "ab":
        topic.publish(ALICE, "Disk full", title="db1", tags=["disk"], client_id=client_id)
    prune(Topic.objects.get())
    first = Notification.objects.get(seq=1)
    assert (first.message, first.title, first.tags, first.deleted) == ("", "", [], True)


def test_what_was_pruned_is_still_recognised_when_it_is_sent_again(five: Room) -> None:
    room = keep(five, keep_entries=1)
    again = room.post(ALICE, "1", "a")
    assert (again.duplicate, again.seq, again.text) == (True, 1, "")
    assert Room.objects.get().last_seq == 5


def test_the_id_of_what_was_pruned_is_a_conflict_with_other_content(five: Room) -> None:
    room = keep(five, keep_entries=1)
    with pytest.raises(Refused) as refused:
        room.post(ALICE, "other", "a")
    assert refused.value.code == "id_conflict"


def test_a_deletion_that_was_pruned_is_still_recognised(five: Room) -> None:
    five.delete_message(ALICE, 3, "undo")
    room = keep(five, keep_entries=1)
    room.post(ALICE, "newest")
    again = keep(room, keep_entries=1).delete_message(ALICE, 3, "undo")
    assert (again.duplicate, again.seq, again.target) == (True, 6, 3)


def test_a_pruned_entry_with_an_id_is_deleted_after_24_hours(five: Room) -> None:
    older(five, 1, days=1.01)
    older(five, 2, days=0.99)
    keep(five, keep_entries=1)
    assert [seq for seq, _ in rows(five)] == [2, 5]


def test_what_was_emptied_goes_when_its_24_hours_are_over(five: Room) -> None:
    keep(five, keep_entries=1)
    older(five, 1, 2, days=1.01)
    keep(five, keep_entries=1)
    assert [seq for seq, _ in rows(five)] == [5]


def test_an_id_that_is_forgotten_is_new_again(five: Room) -> None:
    older(five, 1, days=1.01)
    again = keep(five, keep_entries=1).post(ALICE, "1", "a")
    assert (again.duplicate, again.seq) == (False, 6)


def test_an_id_of_what_is_still_read_is_known_however_old_it_is(five: Room) -> None:
    older(five, 1, days=20)
    assert keep(five, keep_days=30).post(ALICE, "1", "a").duplicate


# In steps.


@pytest.mark.parametrize("id", [None, "id"])
def test_a_step_takes_few_rows_and_says_whether_there_may_be_more(
    lobby: Room, id: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PRUNED_AT_ONCE", 2)
    for number in range(6):
        lobby.post(ALICE, "text", id and f"{id}{number}")
    Room.objects.update(keep_entries=1)
    room = Room.objects.get()
    left: list[tuple[bool, int]] = []
    while not left or left[-1][0]:
        left.append((room.prune_step(), Message.objects.exclude(text="").count()))
    assert left == [(True, 4), (True, 2), (False, 1)]


def test_what_is_not_read_any_more_is_read_by_nobody_after_the_first_step(
    five: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PRUNED_AT_ONCE", 1)
    Room.objects.update(keep_entries=1)
    assert Room.objects.get().prune_step()
    assert shown(Room.objects.get()) == [5]
    assert len(rows(five)) > 3


def test_pruning_by_a_copy_from_before_a_new_epoch_takes_nothing_away(five: Room) -> None:
    """The database may have been restored meanwhile: positions then name other entries."""
    Room.objects.update(keep_entries=1)
    copy = Room.objects.get()
    Room.renew_epoch(five.pk, five.epoch)
    copy.prune_step()
    room = Room.objects.get()
    assert (room.first_seq, len(rows(room))) == (1, 5)


def test_pruning_what_was_deleted_meanwhile_does_nothing(five: Room) -> None:
    Room.objects.update(keep_entries=1)
    copy = Room.objects.get()
    five.delete()
    assert not copy.prune_step()


# Who reads what was pruned: nobody. Its row is there all the same, for its id.


@pytest.fixture
def pruned(five: Room) -> Room:
    """A room that begins with its second message; the first one is there for its id, and still has its text."""
    Room.objects.update(first_seq=2)
    return Room.objects.get()


def test_what_was_pruned_is_in_no_page_of_history(pruned: Room) -> None:
    found, more = pruned.history(limit=4)
    assert ([stored.seq for stored in found], more) == ([2, 3, 4, 5], False)
    assert pruned.history(before=2) == ([], False)


def test_what_was_pruned_is_in_no_snapshot_and_fills_no_hole(pruned: Room) -> None:
    for snapshot in (Room.read(pruned.pk), Room.read(pruned.pk, 0)):
        assert snapshot is not None
        assert (snapshot.first_seq, [stored.seq for stored in snapshot.events]) == (2, [2, 3, 4, 5])
    assert [stored.seq for stored in pruned.since(0, until=3)] == [2, 3]


def test_deleting_what_was_pruned_finds_nothing(pruned: Room) -> None:
    with pytest.raises(Refused) as refused:
        pruned.delete_message(ALICE, 1)
    assert refused.value.code == "not_found"
    assert Room.objects.get().last_seq == 5


@pytest.mark.django_db(transaction=True)
async def test_what_was_pruned_is_not_told_to_who_joins(pruned: Room) -> None:
    async with connect(LOBBY) as socket:
        joined = await socket.next("joined")
        assert ([message["seq"] for message in joined["messages"]], joined["more"]) == ([2, 3, 4, 5], False)
        await socket.command("history", before=3)
        answer = await socket.next("history")
        assert ([message["seq"] for message in answer["messages"]], answer["more"]) == ([2], False)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("since", "recovered"), [(0, False), (1, True), (2, True)])
async def test_who_comes_back_to_a_pruned_position_is_told_that_something_is_missing(
    pruned: Room, since: int, recovered: bool
) -> None:
    async with connect(f"{LOBBY}?since={since}&epoch={pruned.epoch}") as socket:
        joined = await socket.next("joined")
    assert joined["recovered"] == recovered
    assert [message["seq"] for message in joined["messages"]] == list(range(max(since, 1) + 1, 6))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("query", "recovered"), [("", None), ("?since=0", None), ("?since=0&epoch={}", False)])
async def test_what_was_pruned_is_in_no_page_over_http(pruned: Room, query: str, recovered: bool | None) -> None:
    answer = await ask("GET", f"/api/chat/lobby/messages/{query.format(pruned.epoch)}")
    assert [message["seq"] for message in answer.json["messages"]] == [2, 3, 4, 5]
    assert (answer.json.get("recovered"), answer.json["more"]) == (recovered, False)


@pytest.mark.django_db(transaction=True)
async def test_what_was_pruned_is_in_no_event_stream() -> None:
    topic = await db.run(Topic.objects.create, name="alerts", first_seq=2)
    for text in ("pruned words", "kept words"):
        await db.run(topic.publish, ALICE, text, client_id=text)
    response: Any = await AsyncClient().get("/api/notifications/alerts/stream?since=0&epoch=" + topic.epoch)
    read = b""
    async for chunk in response.streaming_content:
        read += chunk
        if b"kept words" in read:
            break
    response.close()
    assert b'"recovered":false' in read
    assert b"pruned words" not in read


# All at once.


def test_a_reset_history_is_empty_and_positions_go_on_in_a_new_epoch(five: Room) -> None:
    before = five.epoch
    five.reset_history()
    room = Room.objects.get()
    assert (room.first_seq, room.last_seq, shown(room)) == (6, 5, [])
    assert room.epoch == five.epoch != before
    assert room.post(ALICE, "first").seq == 6


def test_a_reset_takes_a_new_epoch_every_time(five: Room) -> None:
    epochs = {five.epoch}
    for _ in range(2):
        five.reset_history()
        epochs.add(Room.objects.get().epoch)
    assert len(epochs) == 3


def test_a_reset_leaves_ids_and_no_content(five: Room) -> None:
    five.reset_history()
    assert rows(five) == [(1, ""), (2, "")]


def test_after_a_reset_what_was_sent_within_24_hours_is_still_recognised(five: Room) -> None:
    older(five, 1, days=1.01)
    older(five, 2, days=0.99)
    five.reset_history()
    assert not five.post(ALICE, "1", "a").duplicate
    assert five.post(ALICE, "2", "b").duplicate


def test_a_reset_by_an_old_copy_takes_what_came_meanwhile_too(five: Room) -> None:
    copy = Room.objects.get()
    five.post(ALICE, "6")
    copy.reset_history()
    room = Room.objects.get()
    assert (room.first_seq, shown(room), [seq for seq, _ in rows(room)]) == (7, [], [1, 2])


def test_a_reset_takes_more_than_one_step_s_rows(five: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "PRUNED_AT_ONCE", 1)
    five.reset_history()
    assert rows(five) == [(1, ""), (2, "")]


def test_a_reset_leaves_other_rooms_alone(five: Room) -> None:
    other = Room.objects.create(name="other")
    other.post(ALICE, "stays")
    five.reset_history()
    assert shown(other) == [1]
    assert Room.objects.get(name="other").epoch == other.epoch


@pytest.mark.django_db(transaction=True)
def test_a_reset_is_told_to_other_processes_when_it_is_committed(five: Room, settings: Settings) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "tests.realtime.layers.RecordingLayer"}}
    RecordingLayer.told = []
    with transaction.atomic():
        five.reset_history()
        assert RecordingLayer.told == []
    [(group, message)] = RecordingLayer.told
    assert group == f"chat.room.{five.pk}"
    assert Room.objects.get().epoch in str(message)


# As open sockets see it.


async def reset(stream: Room | Topic) -> None:
    await db.run(stream.reset_history)


async def renew(stream: Room | Topic) -> None:
    await db.run(type(stream).renew_epoch, stream.pk, stream.epoch)


async def seqs_after(socket: Socket, type: str) -> tuple[Event, list[int]]:
    """The next event of that type and the positions in it."""
    event = await socket.next(type)
    return event, [message["seq"] for message in event["messages"]]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("change", "left"), [(reset, []), (renew, [1, 2, 3, 4, 5])])
async def test_open_sockets_are_told_at_once_to_begin_anew(
    change: Callable[[Room], Any], left: list[int], five: Room
) -> None:
    """No position check runs here: what comes was told."""
    before = five.epoch
    async with connect(LOBBY) as socket, connect(LOBBY) as other:
        for each in (socket, other):
            await each.next("joined")
        await change(five)
        for each in (socket, other):
            joined, seqs = await seqs_after(each, "joined")
            assert joined["epoch"] != before
            assert (joined["recovered"], joined["seq"], seqs, joined["more"]) == (False, 5, left, False)
        await socket.command("send", text="goes on")
        assert (await other.next("chat"))["seq"] == 6


@pytest.mark.django_db(transaction=True)
async def test_who_subscribed_to_a_topic_is_told_at_once_to_begin_anew() -> None:
    topic = await db.run(Topic.objects.create, name="alerts")
    await db.run(topic.publish, ALICE, "Disk full")
    async with connect("/ws/notifications/") as socket:
        await socket.command("subscribe", topics=["alerts"])
        first = (await socket.next("subscribed"))["streams"]["alerts"]
        await reset(topic)
        again = (await socket.next("subscribed"))["streams"]["alerts"]
        assert (again["seq"], again["recovered"], again["epoch"] != first["epoch"]) == (1, False, True)
        await db.run(topic.publish, ALICE, "Disk fuller")
        assert (await socket.event())["seq"] == 2


@pytest.mark.django_db(transaction=True)
async def test_who_was_away_during_a_reset_begins_anew(five: Room) -> None:
    before = five.epoch
    await reset(five)
    async with connect(f"{LOBBY}?since=5&epoch={before}") as socket:
        joined, seqs = await seqs_after(socket, "joined")
    assert (joined["recovered"], seqs, joined["more"]) == (False, [], False)


@pytest.mark.django_db(transaction=True)
async def test_a_process_that_was_not_told_of_a_reset_finds_it_by_its_check(five: Room) -> None:
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        await db.run(lambda: Room.objects.update(epoch="elsewhere", first_seq=6))
        await current_hub().check_positions()
        joined, seqs = await seqs_after(socket, "joined")
        assert (joined["epoch"], joined["recovered"], seqs) == ("elsewhere", False, [])


@pytest.mark.django_db(transaction=True)
async def test_pruning_takes_nothing_from_an_open_page_and_tells_it_nothing(five: Room) -> None:
    async with connect(LOBBY) as socket:
        await socket.next("joined")
        await db.run(keep, five, keep_entries=1)
        await current_hub().check_positions()
        await socket.command("send", text="goes on")
        assert (await socket.event())["seq"] == 6


# Many at once.


def test_many_deletions_go_a_part_at_a_time(five: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "DELETED_AT_ONCE", 2)
    assert five.delete_each([Message.deleting(ALICE, seq) for seq in (1, 3, 5)]) == []
    assert rows(five)[:5] == [(1, ""), (2, "2"), (3, ""), (4, "4"), (5, "")]
    assert [row.target for row in Message.objects.filter(seq__gt=5).order_by("seq")] == [1, 3, 5]


def test_the_same_twice_is_deleted_once(five: Room) -> None:
    refused = five.delete_each([Message.deleting(ALICE, 2), Message.deleting(ALICE, 2)])
    assert [refusal.code for refusal in refused] == ["not_found"]
    assert five.appended().filter(target=2).count() == 1


def test_why_some_were_refused_is_told_and_the_others_are_done(five: Room) -> None:
    others = Identity("user:2", "bob")
    refused = five.delete_each([Message.deleting(ALICE, 1), Message.deleting(others, 2), Message.deleting(ALICE, 99)])
    assert [refusal.code for refusal in refused] == ["forbidden", "not_found"]
    assert rows(five)[:2] == [(1, ""), (2, "2")]
