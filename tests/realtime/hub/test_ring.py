"""The newest entries of a stream, and how far back they reach."""

import pytest

from realtime.hub import ring as module
from realtime.hub.outbox import Frame
from realtime.hub.ring import Ring
from realtime.streams.batch import Stored


def entry(seq: int, text: str = "{}") -> tuple[Stored, Frame]:
    return Stored(seq, "chat", text), Frame(text)


def ring(*seqs: int, after: int | None = None) -> Ring:
    made = Ring()
    made.after = after
    for seq in seqs:
        made.add(entry(seq))
    return made


def seqs(entries: list[Stored] | None) -> list[int] | None:
    return None if entries is None else [stored.seq for stored in entries]


def test_until_something_was_read_it_reaches_back_to_nowhere() -> None:
    assert ring(5, 6).since(4) is None


@pytest.mark.parametrize(("since", "found"), [(3, None), (4, [5, 6]), (5, [6]), (6, [])])
def test_it_gives_what_follows_a_position_it_reaches_back_to(since: int, found: list[int] | None) -> None:
    assert seqs(ring(5, 6, after=4).since(since)) == found


def test_what_was_read_comes_before_what_came_since() -> None:
    made = ring(5, 6)
    made.put_before([Stored(3, "chat", "{}"), Stored(4, "chat", "{}")], 2)
    assert seqs(made.entries) == [3, 4, 5, 6]
    assert (made.begins(), made.after) == (3, 2)


def test_the_oldest_make_room_and_it_reaches_back_less_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    made = ring(1, 2, 3, after=0)
    assert (seqs(made.entries), made.after) == ([2, 3], 1)


def test_its_bytes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RING_BYTES", 250)
    made = Ring()
    for seq in (1, 2, 3):
        made.add(entry(seq, "x" * 100))
    assert seqs(made.entries) == [2, 3]


def test_where_the_newest_says_it_all_it_holds_that_one() -> None:
    made = ring(1, 2)
    made.hold_only(entry(9))
    assert (seqs(made.entries), made.after) == ([9], 8)


def test_what_was_pruned_is_held_no_more() -> None:
    made = ring(1, 2, 3, after=0)
    made.prune(3)
    assert (seqs(made.entries), made.after) == ([3], 2)


def test_pruning_does_not_make_it_reach_back_further() -> None:
    made = ring(5, after=4)
    made.prune(2)
    assert made.after == 4


def test_what_it_forgot_has_to_be_read() -> None:
    made = ring(1, 2, after=0)
    made.forget()
    assert (made.entries, made.begins(), made.since(0)) == ([], None, None)
