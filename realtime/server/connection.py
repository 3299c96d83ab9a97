"""One WebSocket connection: an asyncio.Protocol of our own, which Uvicorn is handed by its `ws` option.

    bytes ──► Opening ──► the application ──► accept ──► frames ──► the application's `receive`
                                                             └────► a Handler, once the application handed over

An application of ours hands the connection over to a Handler and returns: nothing of the call, of its scope or of the
request stays in memory for as long as the connection is idle. Any other application is served by the letter of ASGI.
"""

import asyncio
from asyncio.transports import BaseTransport
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.server import ServerState

from realtime.server.closing import CLOSED, OPEN, OPENING
from realtime.server.delivery import Delivery, Handler
from realtime.server.frames import BINARY, TEXT, bound_send_buffer, frame
from realtime.server.handshake import Handshake
from realtime.server.opening import EARLY_BYTES, Opening, Refusal, addresses, refused
from realtime.server.shared import shared_by

HIGH_WATER_BYTES = 64 * 1024
"""From here on `drain` waits."""


class ChorusProtocol(Delivery):
    """One WebSocket connection; its scope offers it as `extensions["chorus.connection"]`."""

    # A server has one for each connection.
    __slots__ = ("_opening",)

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(shared_by(config, server_state), _loop or asyncio.get_running_loop())
        self.shared.app_state = app_state
        self._opening: Opening | None = None

    # The transport's side.

    def connection_made(self, transport: BaseTransport) -> None:
        """Uvicorn's HTTP protocol has read a request that wants to become a WebSocket."""
        self.shared.connections.add(self)
        self.transport = cast("asyncio.Transport", transport)
        # Who had the transport before, and still has it, knows the addresses.
        before: Any = self.transport.get_protocol()
        client, server = (before.client, before.server) if hasattr(before, "client") else addresses(transport)
        self._opening = Opening(client, server, secure=transport.get_extra_info("sslcontext") is not None)
        self.transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        if not self.shared.bounds_send_buffer:
            bound_send_buffer(transport.get_extra_info("socket"))

    def data_received(self, data: bytes) -> None:
        """Read on, in whatever part of its life the connection is."""
        if self._opening is None:
            super().data_received(data)
        elif self._opening.handshake is not None:  # which is not answered yet
            self._opening.early += data
            if len(self._opening.early) > EARLY_BYTES:
                self.transport.abort()
        elif self.state == OPENING:
            self._ask(self._opening, data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing can be sent or received any more."""
        self.shared.connections.discard(self)
        self.lost()
        self._put_end()

    # The opening handshake.

    def _ask(self, opening: Opening, data: bytes) -> None:
        try:
            if opening.received(data) is None:
                return
        except Refusal as refusal:
            self.transport.write(refusal.response(self.shared.default_headers))
            self.hang_up()
            return
        self._call(opening)

    def asked(self, asked: Handshake, early: bytes) -> None:
        """Begin with a handshake that was read already, and what came behind it."""
        assert self._opening is not None
        self._opening.handshake = asked
        self._opening.early += early
        self._call(self._opening)

    def _call(self, opening: Opening) -> None:
        self._put({"type": "websocket.connect"})
        self._run(self._serve(opening.scope(self.shared, self)))

    async def _serve(self, scope: dict[str, Any]) -> None:
        """Call the application; however it ends, the client is answered."""
        try:
            result = await self.shared.application(scope, self.receive, self.send)
        except ClientDisconnected:
            self._fail()
            return
        except asyncio.CancelledError:
            self._fail()
            raise
        except BaseException:  # an exception group too, and whatever an application of somebody's raises
            self.shared.logger.exception("Exception in ASGI application\n")
            self._fail()
            return
        del scope
        if self._handler is not None:
            return
        if result is not None:
            self.shared.logger.error("ASGI callable should return None, but returned '%s'.", result)
        elif self.state == OPENING and self._opening is not None and self._opening.answer is None:
            self.shared.logger.error("ASGI callable returned without completing handshake.")
        self._fail()

    def _fail(self) -> None:
        """End a connection that its application has left."""
        unanswered = self.state == OPENING and self._opening is not None and self._opening.answer is None
        if unanswered and not self.transport.is_closing():
            self._refuse(500, [(b"content-type", b"text/plain; charset=utf-8")], b"Internal Server Error")
        self.hang_up()

    def _refuse(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.state = CLOSED
        self.transport.write(refused(self.shared.default_headers, status, headers, len(body)) + body)
        self.hang_up()

    def _accept(self, opening: Opening, message: dict[str, Any]) -> None:
        """Open the connection. From here on there are frames only, and nothing of the request is kept."""
        self.transport.write(opening.accepted(self.shared.default_headers, message))
        self.opened()
        self._opening = None
        if opening.early:
            super().data_received(bytes(opening.early))

    # The application's side (ASGI).

    async def send(self, message: dict[str, Any]) -> None:
        """Send an event; raises ClientDisconnected where nobody is left to be told."""
        kind = message["type"]
        if self._opening is not None and self.state == OPENING:
            self._answer(self._opening, kind, message)
        elif kind == "websocket.close":
            self.close(message.get("code", 1000), message.get("reason") or "")
        elif self.state == CLOSED:
            raise ClientDisconnected
        elif kind != "websocket.send":
            raise RuntimeError(f"Expected ASGI message 'websocket.send' or 'websocket.close', but got '{kind}'.")
        elif self.ended:
            raise ClientDisconnected
        else:
            text, data = message.get("text"), message.get("bytes")
            self.write(frame(BINARY, data or b"") if text is None else frame(TEXT, text.encode()))
            await self.drain()

    def _answer(self, opening: Opening, kind: str, message: dict[str, Any]) -> None:
        if self.transport.is_closing():
            raise ClientDisconnected
        if opening.answer is not None:
            self._answer_on(opening, kind, message)
        elif kind == "websocket.accept":
            self._accept(opening, message)
        elif kind == "websocket.close":
            self._refuse(403, [], b"")
        elif kind == "websocket.http.response.start":
            opening.answer = message["status"], [*message.get("headers", ())]
        else:
            raise RuntimeError(
                "Expected ASGI message 'websocket.accept', 'websocket.close' or 'websocket.http.response.start' "
                f"but got '{kind}'."
            )

    def _answer_on(self, opening: Opening, kind: str, message: dict[str, Any]) -> None:
        if kind != "websocket.http.response.body":
            raise RuntimeError(f"Expected ASGI message 'websocket.http.response.body' but got '{kind}'.")
        assert opening.answer is not None
        status, headers = opening.answer
        opening.early += message.get("body", b"")  # nothing that came early is of use any more
        if not message.get("more_body"):
            self._refuse(status, headers, bytes(opening.early))

    # The end, as the server wants it.

    def shutdown(self) -> None:
        """The server stops: let the consumer finish what it has received and close, or close here."""
        if self.state == OPENING:
            asked = self._opening is not None and self._opening.handshake is not None
            if asked:
                self._refuse(500, [], b"The server stops.")
            else:
                self.hang_up()
            self._put_end()
        elif self.state == OPEN and self._handler is not None:
            self.stop()
        else:
            self.close(1012, "retry_after=1.0")


__all__ = ["ChorusProtocol", "Handler"]
