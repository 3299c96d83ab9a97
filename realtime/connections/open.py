"""The open sockets of this process: what an open socket is to whoever looks at them, the register, and the limits."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from realtime.access import Identity, Rights, Verify
from realtime.conf import conf
from realtime.limits import is_own_machine
from realtime.protocol import CloseCode


class Sent(Protocol):
    """What was sent to a socket."""

    messages: int
    bytes: int

    @property
    def unsent(self) -> int:
        """Bytes that were sent and have not left yet."""


class OpenSocket(Protocol):
    """What reviews, reports and staff ask of an open socket."""

    id: str
    scope: Mapping[str, Any]
    identity: Identity
    opened_at: datetime
    messages_in: int
    bytes_in: int

    @property
    def outbox(self) -> Sent:
        """What was sent to it."""

    @property
    def verify(self) -> Verify | None:
        """What looks at its login again; None where nothing can be looked up, and a guest's never is."""

    def reads(self) -> frozenset[str]:
        """The keys of the streams that it is in."""

    def reviewed(self, now: Identity | str, rights: Mapping[str, Rights | None]) -> None:
        """Take who speaks now, or why nobody does, and the rights in each of `reads` (None: it is gone)."""

    def end(self, code: CloseCode, reason: str = "") -> None:
        """Close it."""


def applies(wanted: Mapping[str, str], socket: OpenSocket) -> bool:
    """Tell whether all of these apply: `connection`, `user`, `token`, `stream`, `identity`, `sender`, each as text."""
    login = socket.identity.login
    facts = {
        "connection": {socket.id},
        "identity": {socket.identity.key},
        "sender": {socket.identity.sender_id},
        "user": {str(login.user)} if login else set(),
        "token": {str(login.token)} if login else set(),
        "stream": socket.reads(),
    }
    return all(value in facts[name] for name, value in wanted.items())


class OpenSockets:
    """The register of this process's sockets, and how many each user and each network may have."""

    def __init__(self) -> None:
        self.total = 0
        """Also those whose handshake is not answered yet."""
        self._open: set[OpenSocket] = set()
        self._by_holder: Counter[str] = Counter()

    def __iter__(self) -> Iterator[OpenSocket]:
        """All whose handshake was answered, as of now."""
        return iter(list(self._open))

    def __contains__(self, socket: object) -> bool:
        return socket in self._open

    def add(self, socket: OpenSocket) -> None:
        """Take in a socket whose handshake was answered."""
        self._open.add(socket)

    def discard(self, socket: OpenSocket) -> None:
        """Forget a socket; harmless if it is not known."""
        self._open.discard(socket)

    def full(self) -> bool:
        """Tell whether this process has all the sockets it may."""
        return bool(conf.connections_per_process) and self.total >= conf.connections_per_process

    def enter(self, holder: str) -> bool:
        """Count a socket of a user (`user:7`) or a guest's network; False if that is one too many."""
        if holder.startswith("user:"):
            limit = conf.connections_per_user
        else:
            limit = 0 if is_own_machine(holder) else conf.connections_per_address
        if limit and self._by_holder[holder] >= limit:
            return False
        self._by_holder[holder] += 1
        return True

    def leave(self, holder: str) -> None:
        """Take back one `enter`."""
        self._by_holder[holder] -= 1
        if not self._by_holder[holder]:
            del self._by_holder[holder]
