"""How much was said lately, and by how many. Rooms stand for all streams with a history."""

from typing import Any

from chat.models import Room
from realtime.access import Identity
from realtime.streams.activity import activity_of
from tests.realtime.past import said

GUEST = Identity("guest:abc", "Guest-1234")


def test_what_was_said_is_counted_by_day_and_by_people(lobby: Room, django_assert_num_queries: Any) -> None:
    for days_ago, senders in ((0, "aab"), (6, "c"), (7, "d"), (29, "a"), (30, "e")):
        said(lobby, days_ago, *senders)
    regretted = lobby.post(GUEST, "hi")
    lobby.delete_message(GUEST, regretted.seq)
    with django_assert_num_queries(2):
        found = activity_of(lobby)
    assert [(each.days, each.count, each.senders) for each in found.periods] == [(1, 3, 2), (7, 4, 3), (30, 6, 4)]
    counts = [count for _, count in found.by_day]
    assert (len(counts), counts[-1], counts[-7], counts[-8], counts[0], sum(counts)) == (30, 3, 1, 1, 1, 6)
