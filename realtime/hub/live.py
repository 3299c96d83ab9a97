"""One stream as this process sees it: how far it has delivered, its newest entries, and how holes are mended.

unread ──► current ──► holed ──► current
▲           │          │
└── reset ◄─┴──────────┘

unread   the position is not known: what commits is kept until the first read is through, which the first who
joins asks for.
current  whoever has caught up has all up to the position. The next entry is delivered, an older one dropped.
holed    something after the position is missing: a repair reads it, one at a time, while what comes is dropped.
reset    the epoch is another, or what is missing was pruned: every socket is told to join anew.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from realtime import db
from realtime.hub.outbox import Frame
from realtime.hub.repair import Repair
from realtime.hub.ring import Ring
from realtime.hub.subscription import Subscription, push_stored
from realtime.protocol import CloseCode, Refused
from realtime.streams.batch import Batch, Head, Snapshot, Stored
from realtime.streams.stream import Stream

FRESH = 50
"""Entries shown to who joins without a position."""
REPAIRS_AT_ONCE = 4
"""Per process, so that a storm of holes leaves threads for joins."""


@dataclass(slots=True)
class Start:
    """What a socket that joins gets first."""

    epoch: str
    seq: int
    recovered: bool
    """Everything after the position it gave follows."""
    more: bool
    """Older entries exist, to be asked of history."""
    events: list[Stored]


class LiveStream:
    """A stream with local subscribers. Invariant: subscribers that caught up have all up to `position`."""

    def __init__(
        self, model: type[Stream], pk: int, subscribers: set[Subscription], repairs: asyncio.Semaphore
    ) -> None:
        self.model = model
        self.pk = pk
        self.subscribers = subscribers
        """The hub's own set for this stream's group."""
        self.epoch = ""
        self.position: int | None = None
        """None until the first read."""
        self._early: list[Batch] = []
        """What committed while the first read was under way, and may or may not be in it."""
        self._first_seq = 1
        self._ring = Ring()
        self._forgotten = 0
        self._loading: asyncio.Task[None] | None = None
        self._repair = Repair(model.__name__, self._repair_page)
        self._repairs = repairs
        self._row: Stream | None = None

    def share(self, row: Stream) -> Stream:
        """One copy of the stream's row for all its sockets: the given one, or the one they have already."""
        self._row = self._row or row
        return self._row

    # What commits and hints bring.

    def offer(self, batch: Batch) -> None:
        """Take entries that committed: next ones are delivered, older ones dropped, a hole is repaired."""
        if self.position is None:
            self._early.append(batch)
            return
        if batch.epoch != self.epoch:
            self.repair()
            return
        self._deliver(batch.missed)
        self._deliver(batch.events)  # on its own: a page of missed ones may not reach up to it
        if self.position < batch.last:
            self.repair()

    def _deliver(self, events: list[Stored]) -> None:
        assert self.position is not None
        fresh = [event for event in events if event.seq > self.position]
        if not fresh or (self.model.contiguous and fresh[0].seq != self.position + 1):
            return
        framed = [(event, Frame(event.text)) for event in fresh]
        self.position = fresh[-1].seq
        for item in framed:
            if item[0].rewrites:
                self._forget()
            if self.model.contiguous:
                self._ring.add(item)
            else:
                self._ring.hold_only(item)
        push_stored(self.subscribers, framed)

    def _forget(self) -> None:
        self._ring.forget()
        self._forgotten += 1

    # Joining.

    async def locate(self, since: int | None, epoch: str | None) -> Start:
        """What a socket gets first: all since its position if that is known, else the newest entries.

        Sockets that join at the same moment share one read. Raises Refused if the stream is gone and
        Unavailable if the database does not answer.
        """
        await self._loaded()
        if since is not None and epoch == self.epoch and since > (self.position or 0):
            await self._repair.done()  # another process told it more than this one knows
            await self._loaded()
        assert self.position is not None
        events = self._ring.entries
        same = epoch == self.epoch or since == 0  # 0 stands before all, in any epoch
        known = since is not None and same and (self._ring.after or 0) <= since <= self.position
        if known and self.model.contiguous:
            events = [stored for stored in events if stored.seq > (since or 0)]
        elif since is None:
            events = events[-FRESH:]
        older = (events[0].seq if events else self.position + 1) > self._first_seq
        return Start(self.epoch, self.position, known, older and not known, events)

    async def catch_up(self, subscription: Subscription, seq: int) -> AsyncIterator[list[Stored]]:
        """Yield what came after `seq` until nothing is missing; then the subscription gets them as they come.

        Between the last comparison and `caught_up` nothing is awaited, so no entry falls in between.
        """
        epoch = self.epoch
        while self.epoch == epoch and self.position is not None and seq < self.position:
            events = self._ring.since(seq)
            if events is None:
                async with self._repairs:
                    snapshot = await db.run_apart(self.model.read, self.pk, seq)
                events = snapshot.events if snapshot else []
            if self.epoch == epoch and (not events or (self.model.contiguous and events[0].seq != seq + 1)):
                subscription.reset()  # what is missing was pruned
                return
            yield events
            seq = events[-1].seq
        # After a reset every subscription was already told to join anew, and may have done so meanwhile.
        if self.epoch == epoch and self.position is not None:
            subscription.caught_up = True

    async def _loaded(self) -> None:
        """Wait until the position is known and the ring is fresh; one read serves all who wait."""
        while self.position is None or self._ring.after is None:
            if self._loading is None:
                self._loading = asyncio.create_task(self._load())
            await asyncio.shield(self._loading)

    async def _load(self) -> None:
        try:
            forgotten = self._forgotten
            snapshot = await db.run(self.model.read, self.pk)
            if snapshot is None:
                raise Refused("not_found", "It does not exist any more.", close=CloseCode.NO_SUCH_STREAM)
            if self.position is None:
                self.epoch, self.position = snapshot.epoch, snapshot.last_seq
                early, self._early = self._early, []
                for batch in early:
                    self.offer(batch)
            elif self.epoch != snapshot.epoch or self.position < snapshot.last_seq:
                await self._repair.done()
            self._first_seq = snapshot.first_seq
            if forgotten == self._forgotten:
                self._fill_ring(snapshot)
        finally:
            self._loading = None

    def _fill_ring(self, snapshot: Snapshot) -> None:
        """Put what was read in front of what was delivered since; they touch, or it is read again."""
        delivered = self._ring.begins() or (self.position or 0) + 1
        if snapshot.last_seq < delivered - 1 or snapshot.epoch != self.epoch:
            return
        older = [event for event in snapshot.events if event.seq < delivered]
        self._ring.put_before(older, older[0].seq - 1 if older else delivered - 1)

    # Repair.

    def compare(self, head: Head | None) -> None:
        """Take what the database says of the stream; where it is not what was delivered, repair."""
        if head is not None and head.epoch == self.epoch and self.model.contiguous:
            self._prune(head.first_seq)
        if head is None or (head.epoch, head.last_seq) != (self.epoch, self.position):
            self.repair()

    def _prune(self, first_seq: int) -> None:
        """Show nobody any more what was pruned."""
        self._first_seq = max(self._first_seq, first_seq)
        self._ring.prune(first_seq)

    def repair(self) -> asyncio.Task[None]:
        """Compare with the database and deliver what is missing; one at a time, in the background."""
        return self._repair.ask()

    async def _repair_page(self) -> bool:
        before = self.position
        if before is None:
            return True
        async with self._repairs:
            snapshot = await db.run(self.model.read, self.pk, before)
        if self.position is None:
            return True
        if snapshot is None:
            self._tell_gone()
            return True
        if snapshot.epoch == self.epoch and snapshot.last_seq < before:
            # The database went back behind what was told: what follows must not look like a continuation.
            await db.run(self.model.renew_epoch, self.pk, self.epoch)
            return False
        if snapshot.epoch != self.epoch:
            self._reset()
            return True
        self._deliver(snapshot.events)
        if self.position < snapshot.last_seq and self.position == before:
            self._reset()  # what is missing was pruned
            return True
        return self.position >= snapshot.last_seq

    def _tell_gone(self) -> None:
        for subscription in list(self.subscribers):
            subscription.gone()

    def _reset(self) -> None:
        self.position = None
        self._forget()
        for subscription in list(self.subscribers):
            subscription.caught_up = False
            subscription.reset()

    def close(self) -> None:
        """Stop what runs in the background."""
        if self._loading is not None:
            self._loading.cancel()
        self._repair.close()
