"""One socket's way with one stream, written once for sockets that read one stream and for those that read many."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

from realtime.hub.live import LiveStream, Start
from realtime.hub.subscription import Subscription
from realtime.processes.told import PresenceChange
from realtime.streams.batch import Stored
from realtime.streams.key import group_of
from realtime.streams.replay import pages

if TYPE_CHECKING:
    from realtime.consumers.socket import SocketConsumer


class Following:
    """A stream that a socket follows.

        attach ──► begin ──► locate ──► told where it is ──► missed ──► up to date ──► leave
                     ▲                                                       │
                     └─────── its history was reset, or somebody logged in ──┘

    Beginnings may overlap, since each waits for the database and for its reader. Invariant: only the latest one
    sends anything, so a client is never told of an earlier place after a later one. Leaving ends them all.
    """

    __slots__ = ("_begun", "_socket", "group", "live", "present_as", "stream", "subscription", "told")

    live: LiveStream

    def __init__(
        self,
        socket: "SocketConsumer",
        stream: Any,
        *,
        kinds: frozenset[str] | None = None,
        on_reset: Callable[[], None],
        on_gone: Callable[[], None],
    ) -> None:
        self._socket = socket
        self.stream = stream
        self.group = group_of(stream.key)
        self.subscription = Subscription(
            socket.outbox.push, key=socket.identity.key, kinds=kinds, opened=False, on_reset=on_reset, on_gone=on_gone
        )
        self.present_as = ""
        """The identity key under which the socket counts as present; empty while it does not."""
        self.told: Start | None = None
        """Where the client was last told to be, by who tells of several streams at once."""
        self._begun = 0

    async def attach(self) -> None:
        """Be in the stream's group, so that nothing that commits from here on is missed."""
        self.live = await self._socket.hub.stream(self.stream.key, self.subscription)
        self.stream = self.live.share(self.stream)

    async def be_present(self, on_change: Callable[[PresenceChange], None], *, every: float = 0.0) -> None:
        """Count as present, as whoever speaks now; `on_change` is told of others at most once in `every` seconds."""
        presence = self._socket.hub.presence
        if self.present_as == self._socket.identity.key:
            return
        await presence.open(self.group, on_change, every=every)
        identity = self._socket.identity  # it may have been renamed meanwhile
        if self.present_as:
            presence.leave(self.group, self.present_as)
        self.present_as = identity.key
        presence.enter(self.group, identity.key, identity.name, identity.sender_id)

    def renamed(self) -> None:
        """Whoever speaks is called otherwise now."""
        self._socket.hub.presence.rename(self.group, self.present_as, self._socket.identity.name)

    def leave(self) -> None:
        """Be in the group no more, and not present; a beginning that is under way sends nothing more."""
        self._begun += 1
        self._socket.hub.leave(self.group, self.subscription)
        if self.present_as:
            self._socket.hub.presence.leave(self.group, self.present_as)
            self.present_as = ""

    # Beginnings.

    def begin(self) -> int:
        """Begin, perhaps anew; returns the number of this beginning. Entries are held back until it is through."""
        self._begun += 1
        self.subscription.caught_up = False
        return self._begun

    def is_latest(self, beginning: int) -> bool:
        """Tell whether a beginning may send: no later one has begun, and somebody reads."""
        return beginning == self._begun and not self._socket.outbox.gone

    async def missed(self, beginning: int, start: Start, first: list[Stored]) -> AsyncIterator[list[Stored]]:
        """Yield pages of what the client lacks: `first`, then what came after `start`; then it is up to date.

        Called when the client was told of `start`. It ends early when another beginning takes over.
        """
        self.subscription.open = True
        for page in self._pages(beginning, first):
            yield page
        if not self.is_latest(beginning):
            return
        async for more in self.live.catch_up(self.subscription, start.seq):
            for page in self._pages(beginning, more):
                yield page
            if not self.is_latest(beginning):
                return

    def _pages(self, beginning: int, entries: list[Stored]) -> Iterator[list[Stored]]:
        for page in pages(entries) if entries else ():
            if not self.is_latest(beginning):
                return
            yield page
