"""What every connection begins with: as little as it takes to see whether a WebSocket is asked for, or a page.

    first bytes ──► a whole handshake, and right ──► ChorusProtocol (realtime.server.connection)
              └───► anything else ─────────────────► HttpProtocol (realtime.server.http), a handshake in pieces too

So of HTTP nothing is made for a WebSocket, which is most of what a crowd that comes at once costs.
"""

import asyncio
import re
from asyncio.transports import BaseTransport
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.server import ServerState

from realtime.conf import conf
from realtime.server import handshake
from realtime.server.connection import ChorusProtocol
from realtime.server.handshake import Refusal
from realtime.server.http import HttpProtocol
from realtime.server.opening import addresses
from realtime.server.unfinished import unfinished
from realtime.server.wheel import NEVER, wheel

HANDSHAKE = re.compile(rb"\r\nupgrade:[ \t]*websocket", re.IGNORECASE)
END = b"\r\n\r\n"


class FirstProtocol(asyncio.Protocol):
    """A connection of which nothing was received yet."""

    __slots__ = ("_made_of", "client", "server", "tick", "transport")

    transport: asyncio.Transport

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._made_of = (config, server_state, app_state)
        self.tick = NEVER
        self.client: Any = None
        self.server: Any = None
        """Addresses and ports, as ASGI has them; whoever gets the connection reads them here."""

    @property
    def _address(self) -> str:
        return self.client[0] if self.client else ""

    def connection_made(self, transport: BaseTransport) -> None:
        """A client has connected, and has CHORUS_HEAD_TIMEOUT to say what it wants."""
        self._made_of[1].connections.add(self)  # type: ignore[arg-type]  # Uvicorn asks for `shutdown` only
        self.transport = cast("asyncio.Transport", transport)
        self.client, self.server = addresses(self.transport)
        unfinished.here().add(self, self._address)
        if conf.head_timeout:
            wheel.here().put(self, conf.head_timeout)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._leave()

    def data_received(self, data: bytes) -> None:
        """Hand the connection over to who speaks what its first bytes are."""
        protocol: ChorusProtocol | HttpProtocol
        end = data.find(END) + len(END)
        asked = _asked(data[:end]) if self._made_of[0].ws_protocol_class is ChorusProtocol else None
        protocol = HttpProtocol(*self._made_of) if asked is None else ChorusProtocol(*self._made_of)
        left = wheel.here().left(self)
        self._leave()
        protocol.connection_made(self.transport)
        self.transport.set_protocol(protocol)
        if isinstance(protocol, ChorusProtocol):
            assert asked is not None
            protocol.asked(asked, data[end:])
        else:
            protocol.has_left(left)
            protocol.data_received(data)

    def _leave(self) -> None:
        self._made_of[1].connections.discard(self)
        unfinished.here().discard(self)
        wheel.here().drop(self)

    def on_time(self) -> None:
        """Nothing has come."""
        unfinished.here().expire(self, self._address)

    def give_up(self) -> None:
        """End it without a word."""
        self.transport.close()

    def shutdown(self) -> None:
        """The server stops."""
        self.give_up()


def _asked(head: bytes) -> handshake.Handshake | None:
    """A whole handshake that is right; None for whatever else it is, which may be right for HTTP."""
    if not HANDSHAKE.search(head):
        return None
    try:
        return handshake.read(head)
    except Refusal:
        return None
