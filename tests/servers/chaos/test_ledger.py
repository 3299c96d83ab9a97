"""The ledger finds what a run is to be free of."""

import pytest

from tests.servers.chaos.ledger import Ledger, Tally
from tests.servers.chaos.rows import Row, verdict

ROWS_STORED = [(1, "a"), (2, "b"), (3, "c")]


def acknowledged(*ids: str) -> Ledger:
    """A ledger of what was said and acknowledged from position 1 on."""
    ledger = Ledger()
    for seq, own in enumerate(ids, 1):
        ledger.sent(own)
        ledger.acknowledged(own, seq)
    return ledger


def seen(*entries: tuple[int, str]) -> Tally:
    """What is counted for a receiver who saw these of ROWS_STORED."""
    ledger = acknowledged("a", "b", "c")
    for seq, own in entries:
        ledger.saw("bob", seq, own)
    return ledger.compare(ROWS_STORED, ["bob"])


def test_all_is_well() -> None:
    tally = seen((1, "a"), (2, "b"), (3, "c"))
    assert tally == Tally(sent=3, acknowledged=3)
    assert tally.kept
    assert verdict(tally) == "kept"


def test_acknowledged_and_not_stored_is_lost() -> None:
    assert acknowledged("a", "b", "c", "d").compare(ROWS_STORED).lost == 1


def test_sent_and_not_acknowledged_may_be_missing_and_may_be_stored() -> None:
    ledger = acknowledged("a", "b")
    ledger.sent("c")
    ledger.sent("d")
    assert ledger.compare(ROWS_STORED) == Tally(sent=4, acknowledged=2)


def test_stored_twice_is_doubled() -> None:
    assert acknowledged("a", "b", "c").compare([*ROWS_STORED, (4, "a")]).doubled == 1


def test_entries_without_an_id_are_no_doubles_of_one_another() -> None:
    assert acknowledged("a").compare([(1, "a"), (2, ""), (3, "")]).kept


def test_acknowledged_at_two_positions_is_doubled() -> None:
    ledger = acknowledged("a", "b", "c")
    ledger.acknowledged("b", 3)
    assert ledger.compare(ROWS_STORED).doubled == 1


def test_stored_elsewhere_than_acknowledged_is_reordered() -> None:
    assert acknowledged("b", "a", "c").compare(ROWS_STORED).reordered == 2


@pytest.mark.parametrize("gap", [(1, 2), (1, 3), (2, 3), ()], ids=str)
def test_what_a_receiver_did_not_see_is_lost(gap: tuple[int, ...]) -> None:
    assert seen(*(row for row in ROWS_STORED if row[0] in gap)) == Tally(3, 3, lost=3 - len(gap))


def test_a_receiver_is_owed_nothing_from_before_it_came() -> None:
    ledger = acknowledged("a", "b", "c")
    ledger.starts("bob", after=2)
    ledger.saw("bob", 3, "c")
    assert ledger.compare(ROWS_STORED, ["bob"]).kept


def test_seen_twice_is_doubled() -> None:
    assert seen((1, "a"), (2, "b"), (2, "b"), (3, "c")) == Tally(3, 3, doubled=1)


def test_seen_after_something_newer_is_reordered() -> None:
    assert seen((1, "a"), (3, "c"), (2, "b")) == Tally(3, 3, reordered=1)


def test_seen_at_another_position_than_stored_is_lost_there_and_reordered_here() -> None:
    assert seen((1, "a"), (2, "c"), (3, "c")) == Tally(3, 3, lost=1, reordered=1)


def test_a_tombstone_stands_for_what_was_at_its_position() -> None:
    assert seen((1, "a"), (2, ""), (3, "c")).kept


def test_a_run_in_which_nothing_was_acknowledged_proves_nothing() -> None:
    assert verdict(Ledger().compare([])) == "nothing was acknowledged"


async def test_a_broken_promise_fails_its_test_in_words() -> None:
    async def run(long: bool) -> Tally:
        tally = Tally(sent=5, acknowledged=5, lost=2)
        tally.promise(False, "a socket was closed")
        tally.promise(long, "it was the short run")
        return tally

    with pytest.raises(AssertionError, match="2 lost; a socket was closed; it was the short run"):
        await Row("fault", "promise", run).short()
