"""A history holds so many bytes of texts, and is pruned as it grows. Rooms stand for all."""

from typing import Any

import pytest
from django.apps import apps

from chat.models import Message, Room
from notifications.models import Notification, Topic
from realtime import db
from realtime.access import Identity
from realtime.streams import sizes
from realtime.streams.retention import prune
from realtime.streams.sizes import bytes_of, measure_all
from realtime.testing import connect

pytestmark = pytest.mark.django_db(transaction=True)
ALICE = Identity("user:1", "alice")


def talk(room: Room, *texts: str) -> Room:
    """The room after somebody said that."""
    for text in texts:
        room.post(ALICE, text)
    return Room.objects.get(pk=room.pk)


def limited(keep_bytes: int, **more: Any) -> Room:
    return Room.objects.create(name="small", keep_bytes=keep_bytes, keep_days=0, keep_entries=0, **more)


def rows(room: Room) -> list[str]:
    return list(Message.objects.filter(stream=room).order_by("seq").values_list("text", flat=True))


@pytest.mark.parametrize(
    ("value", "size"),
    [("abc", 3), ("ü🎉", 6), (["ab", "c"], 3), ({"text": "ab", "tags": ["c"], "x": 5}, 3), (5, 0), (None, 0)],
)
def test_the_bytes_of_texts_are_counted(value: object, size: int) -> None:
    assert bytes_of(value) == size


def test_what_is_too_much_goes_as_soon_as_more_comes() -> None:
    room = talk(limited(10), "1234", "5678", "90")
    assert rows(room) == ["1234", "5678", "90"]
    room = talk(room, "x")
    assert rows(room) == ["5678", "90", "x"]
    assert (room.first_seq, room.last_seq, room.total_bytes - room.pruned_bytes) == (2, 4, 7)


def test_the_newest_stays_however_long_it_is() -> None:
    assert rows(talk(limited(10), "a", "x" * 20)) == ["x" * 20]
    assert rows(talk(Room.objects.get(), "b")) == ["b"]


def test_bytes_count_and_not_characters() -> None:
    assert rows(talk(limited(10), "🎉🎉", "🎉")) == ["🎉"]


def test_0_keeps_all() -> None:
    assert len(rows(talk(limited(0), *["x" * 1000] * 20))) == 20


def test_of_a_large_history_a_part_is_pruned_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "LARGE_BYTES", 100)
    assert len(rows(talk(limited(160), *["x" * 10] * 17))) == 15


def test_an_id_stays_known_and_its_row_holds_no_text() -> None:
    room = limited(10)
    room.post(ALICE, "secret", "a")
    talk(room, "x" * 10)
    assert rows(room) == ["", "x" * 10]
    assert room.post(ALICE, "secret", "a").duplicate


def test_what_was_deleted_counts_until_it_is_pruned() -> None:
    room = talk(limited(10), "1234", "5678")
    room.delete_message(ALICE, 1)
    assert rows(talk(room, "90")) == ["", "5678", "", "90"]
    assert rows(talk(room, "x")) == ["5678", "", "90", "x"]


def test_a_lower_limit_counts_from_the_next_pruning_on() -> None:
    room = talk(limited(0), "1234", "5678", "90")
    Room.objects.update(keep_bytes=6)
    prune(Room.objects.get())
    assert rows(room) == ["5678", "90"]


def test_what_went_for_another_reason_counts_no_more() -> None:
    room = talk(limited(12), "1234", "5678", "90")
    Room.objects.update(keep_entries=2)
    prune(Room.objects.get())
    assert rows(talk(room, "123456")) == ["5678", "90", "123456"]


def test_after_a_reset_counting_begins_anew() -> None:
    room = talk(limited(10), "1234", "5678")
    room.reset_history()
    assert rows(talk(room, "1234", "567890")) == ["1234", "567890"]


def test_an_old_form_does_not_rewind_the_count() -> None:
    old = limited(10)
    talk(old, "1234")
    old.title = "Small"
    old.save()
    assert Room.objects.get().total_bytes == 4


def test_a_topic_counts_titles_and_tags_too() -> None:
    topic = Topic.objects.create(name="alerts", keep_bytes=10)
    for _ in range(2):
        topic.publish(ALICE, "12", title="345", tags=["6"])
    assert Notification.objects.count() == 1


def test_a_deletion_says_nothing() -> None:
    assert Message(text="abc").size == 3
    assert Message(target=1).size == 0


def test_what_was_there_before_is_counted_by_a_migration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "MEASURED_AT_ONCE", 2)
    room = talk(limited(0), "1234", "5678", "90")
    Message.objects.update(bytes_before=0)
    Room.objects.update(total_bytes=0, pruned_bytes=0, first_seq=2)
    measure_all(apps, "default", "chat", "room", "message", ("text",))
    room = Room.objects.get()
    assert (room.total_bytes, room.pruned_bytes) == (10, 4)
    assert list(Message.objects.order_by("seq").values_list("bytes_before", flat=True)) == [0, 4, 8]


async def test_a_room_is_pruned_by_what_sockets_say() -> None:
    room = await db.run(lambda: limited(3000, guest_access="write"))
    async with connect("/ws/chat/small/") as socket:
        for number in range(10):
            await socket.command("send", text="x" * 1000, id=str(number))
        await socket.next("chat", seq=10)
        assert sum(map(len, await db.run(rows, room))) <= 3000
        await socket.command("history")
        assert [each["seq"] for each in (await socket.next("history"))["messages"]] == [8, 9, 10]
