"""Stored entries on their way from a transaction to sockets: encoded once, where they were born or read."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

FORMAT = 1
"""Version of what processes tell each other; another one means: read the database."""

PAGE = 300
"""Entries read at once, kept per active stream, and replayed to a client at most."""

HINT_BYTES = 256 * 1024
"""A hint with more text than this carries positions only."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One entry."""

    seq: int
    kind: str
    """The `type` of its event."""
    text: str
    """Its event as JSON."""
    rewrites: bool = False
    """It changed an earlier entry, so copies of earlier ones are stale."""


@dataclass(slots=True)
class Batch:
    """Entries of one stream that committed together."""

    key: str
    epoch: str
    first: int
    last: int
    events: list[Stored] = field(default_factory=list)
    """`first` to `last`, or nothing: then they are to be read from the database."""
    missed: list[Stored] = field(default_factory=list)
    """What lies between the committing process's hub and `first`; never leaves the process."""

    def to_hint(self) -> dict[str, Any]:
        """This batch for a channel layer: plain values only."""
        events = self.events if sum(len(event.text) for event in self.events) <= HINT_BYTES else []
        return {
            "v": FORMAT,
            "key": self.key,
            "epoch": self.epoch,
            "first": self.first,
            "last": self.last,
            "events": [[event.seq, event.kind, event.text, event.rewrites] for event in events],
        }

    @classmethod
    def from_hint(cls, hint: dict[str, Any]) -> Self | None:
        """The batch in a hint, or None if its format is not ours."""
        if hint.get("v") != FORMAT:
            return None
        events = [Stored(*event) for event in hint["events"]]
        return cls(hint["key"], hint["epoch"], hint["first"], hint["last"], events)


class Head(NamedTuple):
    """Where a stream stands in the database."""

    epoch: str
    first_seq: int
    last_seq: int


@dataclass(slots=True)
class Snapshot:
    """A stream's row and a run of its entries, read in one statement so that no reset can tear them."""

    epoch: str
    first_seq: int
    last_seq: int
    events: list[Stored]
