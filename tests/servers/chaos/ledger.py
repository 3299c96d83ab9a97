"""What senders were told and what receivers saw, compared with each other and with the database."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise


@dataclass(slots=True)
class Tally:
    """What a run counted, one row of the table of `make chaos`. The promise: lost, doubled and reordered are 0."""

    sent: int = 0
    acknowledged: int = 0
    lost: int = 0
    """Acknowledged, and not in the database or not seen by a receiver who stayed or resumed."""
    doubled: int = 0
    """In the database, or seen by one receiver, more than once."""
    reordered: int = 0
    """Seen by a receiver after something newer, or in another place than the database has it."""
    recovered_in: float | None = None
    """Seconds from the end of the fault until all was well again."""
    broken: list[str] = field(default_factory=list)
    """Promises of this fault alone that were not kept, in words."""

    @property
    def kept(self) -> bool:
        """Whether every promise was kept and the run proves something: something was acknowledged."""
        return not (self.lost or self.doubled or self.reordered or self.broken) and self.acknowledged > 0

    def promise(self, holds: bool, words: str) -> None:
        """Note a promise that was not kept."""
        if not holds:
            self.broken.append(words)


class Ledger:
    """Writes down what happens on the clients' side of one stream while a fault is under way."""

    def __init__(self) -> None:
        self._sent: set[str] = set()
        self._acknowledged: dict[str, int] = {}
        self._told_twice: list[str] = []
        """Ids that were acknowledged with two different positions."""
        self._seen: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._after: dict[str, int] = {}

    def sent(self, id: str) -> None:
        """A client sent something with this id; again with the same id is the same."""
        self._sent.add(id)

    def acknowledged(self, id: str, seq: int) -> None:
        """The server said that it is stored at a position."""
        if self._acknowledged.setdefault(id, seq) != seq:
            self._told_twice.append(id)

    def starts(self, receiver: str, after: int) -> None:
        """A receiver came, and is owed every entry after this position."""
        self._after[receiver] = after

    def saw(self, receiver: str, seq: int, id: str) -> None:
        """A receiver was given an entry, live or in a replay; answers to a repeated id are not among them.

        A tombstone has no id: "" stands for whichever is stored at that position.
        """
        self._seen[receiver].append((seq, id))

    def compare(self, stored: Iterable[tuple[int, str]], receivers: Iterable[str] = ()) -> Tally:
        """Compare with the database's rows, (seq, id) in order of seq, and with what each of `receivers` saw.

        A receiver has to have seen every row after the position it started at, once and in order; all of them if it
        never said where.
        """
        rows = list(stored)
        tally = Tally(len(self._sent), len(self._acknowledged))
        tally.doubled += len(self._told_twice)
        tally.doubled += sum(count - 1 for count in Counter(own for _, own in rows if own).values())
        at = {own: seq for seq, own in rows}
        tally.lost += sum(own not in at for own in self._acknowledged)
        tally.reordered += sum(at.get(own, seq) != seq for own, seq in self._acknowledged.items())
        for receiver in receivers:
            after = self._after.get(receiver, 0)
            self._compare_receiver(tally, [row for row in rows if row[0] > after], self._seen[receiver])
        return tally

    @staticmethod
    def _compare_receiver(tally: Tally, expected: list[tuple[int, str]], seen: list[tuple[int, str]]) -> None:
        ids = dict(expected)
        seen = [(seq, own or ids.get(seq, "")) for seq, own in seen]
        counts = Counter(seen)
        tally.doubled += sum(count - 1 for count in counts.values())
        tally.lost += sum(row not in counts for row in expected)
        once = list(dict.fromkeys(seen))
        tally.reordered += sum(before > after for (before, _), (after, _) in pairwise(once))
        tally.reordered += len(set(once) - set(expected))
