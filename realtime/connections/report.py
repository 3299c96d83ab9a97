"""Who is connected where: what one process says of its sockets, and what that is for all of them together."""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypedDict

from realtime.connections.open import OpenSocket, applies
from realtime.names import normal
from realtime.peer import Peer
from realtime.processes.notices import Notice

ROWS = 500
"""Sockets that one process tells of, the newest first; of others it tells how many there are."""
ROW_BYTES = 400
"""About what a row takes on its way to another process."""


class Row(TypedDict):
    """One open socket."""

    id: str
    who: str
    identity: str
    """Its Identity.key. Not for pages: a guest's is half of what they are known by."""
    sender_id: str
    """What others know them by; empty where nobody is told of them."""
    user: str | None
    """The primary key, as text."""
    token: str | None
    """The key of what they speak by: `accounts.token:5`."""
    token_name: str
    route: str
    streams: list[str]
    """The keys of the streams that it is in."""
    address: str
    since: str
    """When it was opened, as ISO 8601 in UTC."""
    messages_in: int
    bytes_in: int
    messages_out: int
    bytes_out: int
    waiting: int
    """Bytes for it that the kernel or the server has not taken yet."""


COUNTED = ("messages_in", "bytes_in", "messages_out", "bytes_out", "waiting")


class Totals(TypedDict):
    """All sockets that were asked for, also those past ROWS; fields as in Row."""

    connections: int
    messages_in: int
    bytes_in: int
    messages_out: int
    bytes_out: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sockets are asked for: all of this has to apply."""

    matches: Mapping[str, str] = field(default_factory=dict)
    """As connections.control.disconnect takes it: `connection`, `user`, `token`, `stream`, `identity`, `sender`."""
    text: str = ""
    """A part of the name, the route or the address, in any case."""
    within: frozenset[str] | None = None
    """The keys of streams, one of which a socket has to be in; then nobody finds it by its address."""

    def cover(self, socket: OpenSocket) -> bool:
        """Tell whether a socket is among them."""
        if self.matches and not applies(self.matches, socket):
            return False
        if self.within is not None and self.within.isdisjoint(socket.reads()):
            return False
        return not self.text or normal(self.text).lower() in _searched(socket, address=self.within is None)


@dataclass(frozen=True, slots=True)
class Report(Notice):
    """What one process says of its sockets."""

    tag = "report"

    rows: list[Row]
    """The newest first, at most ROWS."""
    totals: Totals

    @property
    def size(self) -> int:
        return ROW_BYTES * len(self.rows)

    @classmethod
    def of(cls, sockets: Iterable[OpenSocket], wanted: Wanted) -> Self:
        """What is to be said of those that are wanted."""
        found = [socket for socket in sockets if wanted.cover(socket)]
        newest = heapq.nlargest(ROWS, found, key=lambda socket: socket.opened_at)
        return cls([row_of(socket) for socket in newest], _totals(found))


@dataclass(frozen=True, slots=True)
class Overview:
    """What all processes said, put together."""

    rows: list[Row]
    """The newest first; at most ROWS of each process."""
    totals: Totals
    processes: int
    complete: bool
    """False where other processes could not be asked."""

    @property
    def more(self) -> int:
        """How many there are besides `rows`."""
        return self.totals["connections"] - len(self.rows)


def merge(reports: Sequence[Report], *, complete: bool) -> Overview:
    """Put together what processes said."""
    rows = [row for each in reports for row in each.rows]
    rows.sort(key=lambda row: (row["since"], row["id"]), reverse=True)
    totals: Any = {name: sum(dict(each.totals)[name] for each in reports) for name in ("connections", *COUNTED)}
    return Overview(rows, totals, len(reports), complete)


def row_of(socket: OpenSocket) -> Row:
    """One socket as it is now."""
    identity, outbox = socket.identity, socket.outbox
    token: Any = identity.token
    return Row(
        id=socket.id,
        who=identity.name,
        identity=identity.key,
        sender_id=identity.sender_id,
        user=None if identity.user is None else str(identity.user.pk),
        token=None if token is None else f"{token._meta.label_lower}:{token.pk}",
        token_name="" if token is None else str(token),
        route=str(socket.scope.get("path", "")),
        streams=sorted(socket.reads()),
        address=_address(socket),
        since=socket.opened_at.isoformat(),
        messages_in=socket.messages_in,
        bytes_in=socket.bytes_in,
        messages_out=outbox.messages,
        bytes_out=outbox.bytes,
        waiting=outbox.unsent,
    )


def _totals(sockets: list[OpenSocket]) -> Totals:
    outboxes = [socket.outbox for socket in sockets]
    return Totals(
        connections=len(sockets),
        messages_in=sum(socket.messages_in for socket in sockets),
        bytes_in=sum(socket.bytes_in for socket in sockets),
        messages_out=sum(outbox.messages for outbox in outboxes),
        bytes_out=sum(outbox.bytes for outbox in outboxes),
        waiting=sum(outbox.unsent for outbox in outboxes),
    )


def _searched(socket: OpenSocket, *, address: bool) -> str:
    found = [socket.identity.name, str(socket.scope.get("path", "")), _address(socket) if address else ""]
    return "\n".join(found).lower()


def _address(socket: OpenSocket) -> str:
    peer: Peer | None = socket.scope.get("peer")
    return peer.address if peer else ""
