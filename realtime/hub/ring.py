"""The newest entries of a stream, encoded, so that whoever joins or comes back costs no query."""

from collections import deque

from realtime.hub.outbox import Frame
from realtime.streams.batch import PAGE, Stored

RING_BYTES = 1024 * 1024


class Ring:
    """A run of entries that ends at the stream's position: at most PAGE of them, and RING_BYTES."""

    def __init__(self) -> None:
        self.after: int | None = None
        """It holds all after this position; None: older entries have to be read first."""
        self._items: deque[tuple[Stored, Frame]] = deque()
        self._bytes = 0

    @property
    def entries(self) -> list[Stored]:
        """What it holds, oldest first."""
        return [stored for stored, _ in self._items]

    def since(self, seq: int) -> list[Stored] | None:
        """All after a position; None where it does not reach back that far."""
        if self.after is None or self.after > seq:
            return None
        return [stored for stored, _ in self._items if stored.seq > seq]

    def begins(self) -> int | None:
        """The position of its oldest entry, if it has one."""
        return self._items[0][0].seq if self._items else None

    def add(self, item: tuple[Stored, Frame]) -> None:
        """Take the next entry; the oldest make room."""
        self._items.append(item)
        self._bytes += len(item[1].wire)
        while len(self._items) > PAGE or self._bytes > RING_BYTES:
            self._drop_oldest()

    def hold_only(self, item: tuple[Stored, Frame]) -> None:
        """Hold one entry, where the newest says it all, whatever was read before it."""
        self.forget()
        self.after = item[0].seq - 1
        self.add(item)

    def put_before(self, older: list[Stored], after: int) -> None:
        """Put entries that were read in front of those that came since; with them it holds all after a position."""
        items = [(entry, Frame(entry.text)) for entry in older]
        self.after = after
        self._items.extendleft(reversed(items))
        self._bytes += sum(len(frame.wire) for _, frame in items)

    def prune(self, first_seq: int) -> None:
        """Hold nothing that was pruned."""
        while self._items and self._items[0][0].seq < first_seq:
            self._drop_oldest()
        if self.after is not None:
            self.after = max(self.after, first_seq - 1)

    def forget(self) -> None:
        """Hold nothing; what it would hold has to be read first."""
        self._items.clear()
        self._bytes = 0
        self.after = None

    def _drop_oldest(self) -> None:
        dropped, frame = self._items.popleft()
        self._bytes -= len(frame.wire)
        if self.after is not None:
            self.after = dropped.seq
