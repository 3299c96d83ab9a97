"""Stored entries on their way from a transaction to sockets: encoded once, where they were born or read."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from django.db import transaction

from realtime.processes import reach
from realtime.processes.notices import Notice
from realtime.streams.key import group_of

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
class Batch(Notice):
    """Entries of one stream that committed together."""

    tag = "batch"

    key: str
    epoch: str
    first: int
    last: int
    events: list[Stored] = field(default_factory=list)
    """`first` to `last`, or nothing: then they are to be read from the database."""
    missed: list[Stored] = field(default_factory=list)
    """What lies between the committing process's hub and `first`; never leaves the process."""

    @property
    def size(self) -> int:
        return sum(len(event.text) for event in self.events)

    def to_item(self) -> dict[str, Any]:
        events = self.events if self.size <= HINT_BYTES else []
        return {
            "t": self.tag,
            "v": self.version,
            "key": self.key,
            "epoch": self.epoch,
            "first": self.first,
            "last": self.last,
            "events": [[event.seq, event.kind, event.text, event.rewrites] for event in events],
        }

    @classmethod
    def of_item(cls, item: dict[str, Any]) -> Self:
        events = [Stored(*event) for event in item["events"]]
        return cls(item["key"], item["epoch"], item["first"], item["last"], events)


def announce(batch: Batch) -> None:
    """Let all processes know of entries that have committed; from any thread, at once, best effort."""
    reach.tell(group_of(batch.key), batch)


def announce_on_commit(batches: Iterable[Batch], using: str) -> None:
    """Announce entries, or a new epoch, once the surrounding transaction on that database has committed."""

    def tell() -> None:  # a function with a name, which Django puts into its log if it fails
        for batch in batches:
            announce(batch)

    transaction.on_commit(tell, using=using, robust=True)


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
