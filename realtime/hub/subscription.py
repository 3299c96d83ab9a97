"""One socket's place in a group, and how stored entries reach all places of a group."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from realtime.hub.outbox import Burst, Frame
from realtime.processes.notices import Notice
from realtime.streams.batch import Stored


class Sink(Protocol):
    """What frames are handed to: a socket's outbox."""

    def offer(self, frame: Frame | Burst) -> bool:
        """Take a frame without waiting; False: too much waits already, and it was not taken."""

    def overflow(self) -> None:
        """Give the reader up as too slow."""


class Subscription:
    """One socket's place in a group. What cannot go on as it was is told to the methods below, for a subclass."""

    # A process has one for each socket, so what they do is in methods and not in callbacks that each would hold.
    __slots__ = ("caught_up", "key", "kinds", "open", "outbox")

    def __init__(
        self, outbox: Sink, *, key: str = "", kinds: frozenset[str] | None = None, opened: bool = True
    ) -> None:
        self.outbox = outbox
        self.key = key
        """Its identity's key: an event may be for everyone but one."""
        self.kinds = kinds
        """The event types it wants; None: all."""
        self.open = opened
        """Gets unstored events; False until the socket was told where it is."""
        self.caught_up = False
        """Gets stored entries as they come; False while it is being brought up to date."""

    def reset(self) -> None:
        """The stream's positions lost their meaning: the socket has to join anew."""

    def gone(self) -> None:
        """The stream was deleted."""

    def refused(self, after: int | None = None) -> None:
        """The socket had no room for stored entries after a position, or for an unstored event (None)."""
        self.outbox.overflow()


@dataclass(frozen=True, slots=True)
class UnstoredEvent(Notice):
    """An unstored event for a group of sockets in another process."""

    tag = "event"

    kind: str
    data: str | bytes
    but_key: str
    """The identity that does not get it."""

    @property
    def size(self) -> int:
        return len(self.data)


class Unstored(NamedTuple):
    """An event that is not stored, and who does not get it."""

    frame: Frame
    kind: str
    but: "Subscription | None" = None
    but_key: str = ""

    def is_for(self, subscription: Subscription) -> bool:
        """Tell whether this place of its group gets it."""
        return (
            subscription is not self.but
            and (not self.but_key or subscription.key != self.but_key)
            and (subscription.kinds is None or self.kind in subscription.kinds)
        )


def push_unstored(subscribers: Iterable[Subscription], events: list[Unstored]) -> None:
    """Hand events to all that are open: one write for each socket."""
    everything = _together([event.frame for event in events])
    for_all = not any(event.but or event.but_key for event in events)
    for subscription in subscribers:
        if not subscription.open:
            continue
        if for_all and subscription.kinds is None:
            taken = subscription.outbox.offer(everything)
        elif wanted := [event.frame for event in events if event.is_for(subscription)]:
            taken = subscription.outbox.offer(everything if len(wanted) == len(events) else _together(wanted))
        else:
            continue
        if taken is False:
            subscription.refused()


def push_stored(subscribers: Iterable[Subscription], events: list[tuple[Stored, Frame]]) -> None:
    """Hand stored entries to all that are live: one write for each socket."""
    everything = _together([frame for _, frame in events])
    chosen: dict[frozenset[str], Frame | Burst | None] = {}
    after = events[0][0].seq - 1
    for subscription in subscribers:
        if not subscription.caught_up:
            continue
        kinds = subscription.kinds
        if kinds is None:
            if subscription.outbox.offer(everything) is False:
                subscription.refused(after)
            continue
        if kinds not in chosen:
            frames = [frame for stored, frame in events if stored.kind in kinds]
            chosen[kinds] = _together(frames) if frames else None
        if (wanted := chosen[kinds]) and subscription.outbox.offer(wanted) is False:
            subscription.refused(after)


def _together(frames: list[Frame]) -> Frame | Burst:
    return frames[0] if len(frames) == 1 else Burst(frames)
