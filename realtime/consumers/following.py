"""One socket's way with one stream, written once for sockets that read one stream and for those that read many."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

from realtime.hub.live import LiveStream, Start
from realtime.hub.outbox import Outbox
from realtime.hub.subscription import Subscription
from realtime.processes.told import PresenceChange
from realtime.streams.batch import Stored
from realtime.streams.key import group_of
from realtime.streams.replay import pages

if TYPE_CHECKING:
    from realtime.consumers.socket import SocketConsumer


BEHIND_SECONDS = 15.0
"""In this time a reader for whom too much waited has to have read it, and all that came meanwhile."""


class Following(Subscription):
    """A stream that a socket follows; a subclass says how it is told what has happened to it.

        attach ──► begin ──► locate ──► told where it is ──► missed ──► up to date ──► leave
                     ▲                                          ▲         │  │
                     │                                          └─ behind ┘  │
                     └─────── its history was reset, or somebody logged in ──┘

    Beginnings may overlap, since each waits for the database and for its reader. Invariant: only the latest one
    sends anything, so a client is never told of an earlier place after a later one. Leaving ends them all.
    """

    __slots__ = ("_begun", "_behind", "_lost", "group", "live", "present_as", "socket", "stream", "told")

    live: LiveStream
    outbox: Outbox
    socket: Any

    def __init__(self, socket: "SocketConsumer", stream: Any, *, kinds: frozenset[str] | None = None) -> None:
        super().__init__(socket.outbox, key=socket.identity.key, kinds=kinds, opened=False)
        self.socket = socket
        self._behind = self._lost = False
        self.stream = stream
        self.group = group_of(stream.key)
        self.present_as = ""
        """The identity key under which the socket counts as present; empty while it does not."""
        self.told: Start | None = None
        """Where the client was last told to be, by who tells of several streams at once."""
        self._begun = 0

    # For subclasses, beside `reset` and `gone`.

    async def replay(self, entries: list[Stored]) -> None:
        """Send a slow reader what it missed."""
        raise NotImplementedError

    def lost(self, start: Start) -> None:
        """Called after that, with where the reader is now, if events that are not stored passed it by."""

    # The way in and out.

    async def attach(self) -> None:
        """Be in the stream's group, so that nothing that commits from here on is missed."""
        self.live = await self.socket.hub.stream(self.stream.key, self)
        self.stream = self.live.share(self.stream)

    async def be_present(self, on_change: Callable[[PresenceChange], None], *, every: float = 0.0) -> None:
        """Count as present, as whoever speaks now; `on_change` is told of others at most once in `every` seconds."""
        presence = self.socket.hub.presence
        if self.present_as == self.socket.identity.key:
            return
        await presence.open(self.group, on_change, every=every)
        identity = self.socket.identity  # it may have been renamed meanwhile
        if self.present_as:
            presence.leave(self.group, self.present_as)
        self.present_as = identity.key
        presence.enter(self.group, identity.key, identity.name, identity.sender_id)

    def renamed(self) -> None:
        """Whoever speaks is called otherwise now."""
        self.socket.hub.presence.rename(self.group, self.present_as, self.socket.identity.name)

    def leave(self) -> None:
        """Be in the group no more, and not present; a beginning that is under way sends nothing more."""
        self._begun += 1
        self.socket.hub.leave(self.group, self)
        if self.present_as:
            self.socket.hub.presence.leave(self.group, self.present_as)
            self.present_as = ""

    # Beginnings.

    def begin(self) -> int:
        """Begin, perhaps anew; returns the number of this beginning. Entries are held back until it is through."""
        self._begun += 1
        self.caught_up = False
        return self._begun

    def is_latest(self, beginning: int) -> bool:
        """Tell whether a beginning may send: no later one has begun, and somebody reads."""
        return beginning == self._begun and not self.outbox.gone

    async def missed(self, beginning: int, start: Start, first: list[Stored]) -> AsyncIterator[list[Stored]]:
        """Yield pages of what the client lacks: `first`, then what came after `start`; then it is up to date.

        Called when the client was told of `start`. It ends early when another beginning takes over.
        """
        self.open = True
        for page in self._pages(beginning, first):
            yield page
        if not self.is_latest(beginning):
            return
        async for more in self.live.catch_up(self, start.seq):
            for page in self._pages(beginning, more):
                yield page
            if not self.is_latest(beginning):
                return

    def _pages(self, beginning: int, entries: list[Stored]) -> Iterator[list[Stored]]:
        for page in pages(entries) if entries else ():
            if not self.is_latest(beginning):
                return
            yield page

    # Behind: too much waits for its reader.

    def refused(self, after: int | None = None) -> None:
        """Keep what comes from a reader that is too slow for it, to be replayed when it has room; or give it up."""
        if self._behind:
            self._lost = self._lost or after is None
        elif not self.caught_up or not self.socket.may_lag():
            self.outbox.overflow()
        else:
            # Who has caught up has all up to the position, but for the entries that did not reach it now.
            seq = self.live.position if after is None else after
            self._behind, self._lost = True, after is None
            self.socket.behind += 1
            self.socket.spawn(self._come_back(self.begin(), seq or 0))

    async def _come_back(self, beginning: int, seq: int) -> None:
        try:
            async with asyncio.timeout(BEHIND_SECONDS):
                await self.outbox.drain()
                if not self.is_latest(beginning):
                    return
                async for entries in self.live.catch_up(self, seq):
                    for page in self._pages(beginning, entries):
                        await self.replay(page)
                    if not self.is_latest(beginning):
                        return
        except TimeoutError:
            self.outbox.overflow()
            return
        finally:
            self._behind = False
            self.socket.behind -= 1
        if self._lost and self.is_latest(beginning):
            self.lost(Start(self.live.epoch, self.live.position or 0, recovered=True, more=False, events=[]))
