"""Uvicorn's WebSocket protocol with ready-made frames, a drain at shutdown and a close that is final.

`manage.py serve` names it; so can `uvicorn --ws realtime.server:ChorusProtocol`. It mends what RFC 6455
asks and its base class leaves: text is checked with 1007, a close inside a fragmented message is a clean
close, and a connection whose peer never reads again is aborted.
"""

import socket
from asyncio.transports import BaseTransport
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

CLOSING_SECONDS = 5.0
"""How long a closing handshake, or the flush before it, may take until the connection is aborted."""
DRAINING_SECONDS = 6.0
"""How long a consumer may take to finish at shutdown; longer than it ever waits for the database."""
KERNEL_BUFFER_BYTES = 256 * 1024
"""Send buffer of a socket: without a bound the kernel hides megabytes of backlog from the outbox."""
HIGH_WATER_BYTES = 64 * 1024
"""From here on `drain` waits."""
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class _Connection(ServerProtocol):
    """The sans-I/O state machine, with a close allowed between fragments (RFC 6455 §5.4, §5.5)."""

    def recv_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CLOSE:
            self.current_size = None  # the rest of the fragmented message will not come
        super().recv_frame(frame)


class ChorusProtocol(WebSocketsSansIOProtocol):
    """One WebSocket connection; its scope offers itself as `extensions["chorus.frames"]` (a FrameWriter)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = _Connection(
            extensions=self.conn.available_extensions,
            max_size=self.config.ws_max_size or None,
            logger=self.logger,
        )
        self.drains = False
        """Set by a consumer that closes its socket itself when it receives `chorus.shutdown`."""

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        raw = transport.get_extra_info("socket")
        if raw is not None and raw.family in {socket.AF_INET, socket.AF_INET6}:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER_BYTES)

    # What the consumer's outbox calls: see realtime.outbox.FrameWriter.

    def write(self, wire: bytes) -> None:
        """Write ready-made frames; dropped once a close has been sent or received."""
        if not self.is_closing():
            self.transport.write(wire)

    def is_closing(self) -> bool:
        """Whether a close has been sent or received, or the connection is gone."""
        return self.close_sent or self.disconnected or self.transport.is_closing()

    def buffered(self) -> int:
        """Bytes in the transport's buffer, not yet taken by the kernel."""
        return self.transport.get_write_buffer_size()

    async def drain(self) -> None:
        """Wait until the buffer is below its high-water mark, or the connection is gone."""
        await self.writable.wait()

    # Closing is final: whatever ends a connection also starts the clock that aborts it.

    def _abort_later(self) -> None:
        if self.close_timer is None and not self.disconnected:
            self.close_timer = self.loop.call_later(CLOSING_SECONDS, self.transport.abort)

    def _close(self, code: int, reason: str) -> None:
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        try:
            self.conn.send_close(code, reason)
        except InvalidState:  # the peer's close came first and is being answered
            return
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:  # the peer's close frame must still be read
            self.read_paused = False
            self.transport.resume_reading()
        self._abort_later()

    async def send(self, message: "ASGISendEvent") -> None:
        """The ASGI send; a close does not wait for a reader that has stopped reading."""
        if message["type"] == "websocket.close" and self.handshake_complete and self.initial_response is None:
            self._close(message.get("code", 1000), message.get("reason") or "")
        else:
            await super().send(message)
            if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
                self.handshake_complete = True  # refused: nothing else is owed to the client

    def shutdown(self) -> None:
        """The server stops: let the consumer finish what it has received and close, or close here."""
        if self.drains and self.handshake_complete and not self.close_sent:
            # Behind all that was received, so that it is finished first.
            event: Any = {"type": "chorus.shutdown"}
            self.queue.put_nowait(event)
            # One that waits for a reader that has stopped would never get to it.
            seconds = DRAINING_SECONDS if self.writable.is_set() else 0.0
            self.loop.call_later(seconds, self._close, 1012, "retry_after=1.0")
        else:
            super().shutdown()
            self._abort_later()

    def handle_close(self, event: Frame) -> None:
        self.stop_keepalive()
        super().handle_close(event)
        self._abort_later()

    def keepalive_timeout(self) -> None:
        if not (self.close_sent or self.transport.is_closing()):
            # At once and with its code: a reader that has stopped keeps the connection until the abort.
            code, reason = 1011, "keepalive ping timeout"
            self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        super().keepalive_timeout()
        self._abort_later()

    def handle_parser_exception(self) -> None:
        if self.conn.close_sent is None:  # a broken handshake: nobody to tell but by hanging up
            self.transport.close()
        elif not self.close_sent:
            self.stop_keepalive()
            super().handle_parser_exception()
        self._abort_later()

    async def run_asgi(self) -> None:
        await super().run_asgi()
        if not self.transport.is_closing() or self.transport.get_write_buffer_size():
            self._abort_later()

    # What comes in.

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not (self.handshake_initiated or self.transport.is_closing()):
            # A request that is too long or none: the answer to the first is ready, and nothing in the base class
            # would send it; to the second there is none (an address that is not ASCII, RFC 3986 §2).
            self.handshake_complete = self.close_sent = True
            self.transport.write(b"".join(self.conn.data_to_send()) or BAD_REQUEST)
            self.transport.close()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101 and not self.conn.extensions:
            # Ready-made frames carry no compression, so with it negotiated they are not offered.
            extensions: Any = self.scope["extensions"]
            extensions["chorus.frames"] = self

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                text = b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.fail(1007, "invalid UTF-8")
                self.handle_parser_exception()
                return
            self.frames = []
            self.queue.put_nowait({"type": "websocket.receive", "text": text})
            self._pause_reading()
        else:
            super().send_receive_event_to_app()

    def _pause_reading(self) -> None:
        if not self.read_paused and not self.transport.is_closing():
            self.read_paused = True
            self.transport.pause_reading()
