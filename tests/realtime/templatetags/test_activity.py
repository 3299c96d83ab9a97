"""The chart of a stream's last days."""

from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from chat.models import Message, Room
from realtime.access import Identity
from realtime.templatetags.activity import BAR, GAP, HEIGHT, activity


@pytest.fixture
def room(lobby: Room) -> Room:
    """A room in which four things were said today, and one the day before yesterday."""
    for days_ago in (0, 0, 0, 0, 2):
        message = lobby.post(Identity("user:1", "alice"), "hi")
        Message.objects.filter(pk=message.pk).update(created_at=timezone.now() - timedelta(days=days_ago))
    return lobby


def test_a_bar_is_as_high_as_its_share_of_the_highest(room: Room) -> None:
    bars = activity(room)["bars"]
    assert [(bar.count, bar.height, bar.y) for bar in bars[-3:]] == [(1, 20, 60), (0, 0, HEIGHT), (4, HEIGHT, 0)]


def test_a_single_entry_among_very_many_is_to_be_seen(room: Room) -> None:
    Message.objects.bulk_create(
        Message(stream=room, seq=seq, created_at=timezone.now(), sender_key="user:1", sender_name="alice", text="hi")
        for seq in range(10, 310)
    )
    assert activity(room)["bars"][-3].height == 2


def test_one_message_is_one(lobby: Room) -> None:
    lobby.post(Identity("user:1", "alice"), "hi")
    assert "<dd>1 message</dd>" in render_to_string("admin/realtime/activity.html", activity(lobby))


def test_bars_stand_side_by_side_in_the_width_of_all(room: Room) -> None:
    drawn = activity(room)
    assert [bar.x for bar in drawn["bars"][:2]] == [0, BAR + GAP]
    assert drawn["width"] == drawn["bars"][-1].x + BAR


def test_an_empty_stream_has_a_chart_without_bars(lobby: Room) -> None:
    drawn = activity(lobby)
    assert {bar.height for bar in drawn["bars"]} == {0}
    assert (drawn["most"], drawn["total"], drawn["what"]) == (0, 0, "messages")
