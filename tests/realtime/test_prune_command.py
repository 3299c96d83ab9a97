"""`manage.py prune` takes away what is past its time, and says how much."""

import pytest
from django.core.management import call_command

from chat.models import Message, Room
from counter.models import Change, Counter
from notifications.models import Topic
from realtime.access import Identity
from realtime.streams import history
from tests.realtime.past import older

pytestmark = pytest.mark.django_db
ALICE = Identity("user:1", "alice")


def pruned(capsys: pytest.CaptureFixture[str]) -> str:
    """What the command prints."""
    call_command("prune")
    return capsys.readouterr().out


def test_it_prunes_rooms_topics_and_counters(capsys: pytest.CaptureFixture[str]) -> None:
    room = Room.objects.create(name="lobby", keep_entries=1)
    topic = Topic.objects.create(name="alerts", keep_days=1)
    counter = Counter.objects.create(name="cups")
    for text in "abc":
        room.post(ALICE, text)
        topic.publish(ALICE, text)
        counter.add(ALICE, 1, text)
    older(topic, days=1.1)
    older(counter, days=1.1)
    assert pruned(capsys) == "Pruned: 5 entries are read no more.\n"
    assert [stored.seq for stored in room.history()[0]] == [3]
    assert topic.history() == ([], False)
    assert not Change.objects.exists()


def test_what_it_says_is_how_much_less_is_read(lobby: Room, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(5):
        lobby.post(ALICE, "text", f"id{number}")  # rows that stay for their ids count as well
    for keep, said in ((4, "1 entry is"), (2, "2 entries are"), (2, "0 entries are")):
        Room.objects.update(keep_entries=keep)
        before = len(Room.objects.get().history()[0])
        assert pruned(capsys) == f"Pruned: {said} read no more.\n"
        assert before - len(Room.objects.get().history()[0]) == int(said[0])


def test_it_goes_on_until_nothing_is_left(
    lobby: Room, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PRUNED_AT_ONCE", 2)
    Room.objects.update(keep_entries=1)
    for _ in range(8):
        lobby.post(ALICE, "text")
    assert pruned(capsys) == "Pruned: 7 entries are read no more.\n"
    assert Message.objects.count() == 1
