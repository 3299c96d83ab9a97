"""Uvicorn's WebSocket protocol with ready-made frames, a drain at shutdown and a close that is final.

`manage.py serve` names it; so can `uvicorn --ws realtime.server:ChorusProtocol`. It mends what RFC 6455
asks and its base class leaves: text is checked with 1007, a close inside a fragmented message is a clean
close, and a connection whose peer never reads again is aborted.
"""

import asyncio
import logging
import socket
from asyncio.transports import BaseTransport
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected, get_local_addr, get_remote_addr, is_ssl
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.exceptions import InvalidHeader, InvalidState
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import Protocol, Side
from websockets.server import ServerProtocol

from realtime.server import handshake
from realtime.server.handshake import Handshake, Headers
from realtime.server.waiting import Gate, Inbox

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

CLOSING_SECONDS = 5.0
"""How long a closing handshake, or the flush before it, may take until the connection is aborted."""
DRAINING_SECONDS = 6.0
"""How long a consumer may take to finish at shutdown; longer than it ever waits for the database."""
HIGH_WATER_BYTES = 64 * 1024
"""From here on `drain` waits."""
KERNEL_BUFFER_BYTES = 256 * 1024
"""Send buffer of a socket: without a bound the kernel hides megabytes of backlog from the outbox."""
AHEAD, SHORT_BYTES = 16, 4096
"""So many messages of at most so many bytes are read before the consumer has taken the first."""
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def bound_send_buffer(raw: socket.socket | None) -> None:
    """Let the kernel keep little of what a socket, or each that a listener accepts, is to send."""
    if raw is not None and raw.family in {socket.AF_INET, socket.AF_INET6}:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER_BYTES)


class _ClosesBetweenFragments:
    """Lets the sans-I/O state machine take a close between fragments (RFC 6455 §5.4, §5.5)."""

    current_size: int | None

    def recv_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CLOSE:
            self.current_size = None  # the rest of the fragmented message will not come
        super().recv_frame(frame)  # type: ignore[misc]  # a Protocol's


class _Frames(_ClosesBetweenFragments, Protocol):
    """The state machine of a connection whose handshake was read by realtime.server.handshake."""


class _Connection(_ClosesBetweenFragments, ServerProtocol):
    """The state machine with the library's own handshake, which leaves the Host to us (RFC 9112 §3.2)."""

    def process_request(self, request: Request) -> tuple[str, str | None, str | None]:
        if len(request.headers.get_all("Host")) != 1:
            raise InvalidHeader("Host")
        return super().process_request(request)


class ChorusProtocol(WebSocketsSansIOProtocol):
    """One WebSocket connection; its scope offers itself as `extensions["chorus.frames"]` (a FrameWriter)."""

    # A server has one for each connection: in slots what it holds takes a quarter of what a dict of it would.
    __slots__ = (
        *("config", "app", "app_state", "loop", "logger", "root_path", "asgi_version", "connections", "tasks"),
        *("default_headers", "transport", "server", "client", "scheme", "scope", "request", "response", "conn"),
        *("queue", "writable", "write", "buffered", "handshake_initiated", "handshake_complete", "initial_response"),
        *("ended", "_close_sent", "disconnected", "drains", "read_paused", "frames", "curr_msg_data_type"),
        *("close_timer", "ping_timer", "pong_timer", "ping_interval", "ping_timeout", "pending_ping_payload"),
        *("ping_sent_at", "last_ping_rtt", "handshake", "_early"),
    )

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        # All that the base class keeps, without its __init__: what that makes first is most of what a connection costs.
        self.config = config
        self.app = config.loaded_app
        self.app_state = app_state
        self.loop = _loop or asyncio.get_running_loop()
        self.logger = logging.getLogger("uvicorn.error")
        self.root_path, self.asgi_version = config.root_path, config.asgi_version
        self.connections, self.tasks = server_state.connections, server_state.tasks
        self.default_headers = server_state.default_headers
        self.server = self.client = None
        self.queue = Inbox(self.loop)  # type: ignore[assignment]  # all that is asked of a queue, and smaller
        self.writable = Gate(self.loop)  # type: ignore[assignment]  # likewise
        self.handshake_initiated = self.handshake_complete = False
        self.ended = self.close_sent = self.disconnected = self.read_paused = False
        self.initial_response = None
        self.close_timer = self.ping_timer = self.pong_timer = None
        self.ping_interval, self.ping_timeout = config.ws_ping_interval, config.ws_ping_timeout
        self.pending_ping_payload = None
        self.ping_sent_at = self.last_ping_rtt = 0.0
        self.frames = []
        self.curr_msg_data_type = "bytes"
        self.handshake: Handshake | None = None
        """Read and not yet answered."""
        self._early: list[bytes] = []
        """What came before the handshake was answered, as no client should send it."""
        self.drains = False
        """Set by a consumer that closes its socket itself when it receives `chorus.shutdown`."""

    def connection_made(self, transport: BaseTransport) -> None:
        self.connections.add(self)
        self.transport = cast("asyncio.Transport", transport)
        # The HTTP protocol, which still has the transport, knows the addresses: to ask again costs four system calls.
        before: Any = self.transport.get_protocol()
        if isinstance(getattr(before, "client", None), tuple):
            self.server, self.client = before.server, before.client
        else:
            self.server, self.client = get_local_addr(self.transport), get_remote_addr(self.transport)
        self.scheme = "wss" if is_ssl(self.transport) else "ws"
        self.transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        # The transport's own: between it and an outbox there is no layer.
        self.write: Callable[[bytes], None] = self.transport.write
        self.buffered: Callable[[], int] = self.transport.get_write_buffer_size
        if not getattr(self.config, "bounds_send_buffer", False):
            bound_send_buffer(transport.get_extra_info("socket"))

    # What the consumer's outbox uses: see realtime.hub.outbox.FrameWriter.

    @property
    def close_sent(self) -> bool:
        """Whether a close frame was sent; the base class sets it in several places."""
        return self._close_sent

    @close_sent.setter
    def close_sent(self, sent: bool) -> None:
        self._close_sent = sent
        self.ended = self.ended or sent

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
        if self.handshake is not None and not self.disconnected:
            if self.transport.is_closing():  # the connection is lost, and its loss not told yet
                raise ClientDisconnected
            if message["type"] == "websocket.accept":
                self._accept(message.get("subprotocol"), [*message.get("headers", ())])
                return
            self._leave_to_library()
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

    def send_500_response(self) -> None:
        """Answer that the application failed or the server stops, where an answer is still owed."""
        if not self.handshake_initiated:  # nothing was asked
            return
        if self.handshake is not None and not self.handshake_complete:
            self._leave_to_library()
        super().send_500_response()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        super().connection_lost(exc)

    def handle_close(self, event: Frame) -> None:
        self.ended = True
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
        if self.handshake_complete:
            super().data_received(data)
        else:
            self._handshake_received(data)

    def handle_events(self) -> None:
        """Hand each event to its method; the base class looks for text last but two."""
        for event in self.conn.events_received():
            if not isinstance(event, Frame):
                self.handle_connect(cast("Request", event))
            elif event.opcode is Opcode.TEXT:
                self.handle_text(event)
            elif event.opcode is Opcode.BINARY:
                self.handle_bytes(event)
            elif event.opcode is Opcode.CONT:
                self.handle_cont(event)
            elif event.opcode is Opcode.PING:
                self.handle_ping()
            elif event.opcode is Opcode.PONG:
                self.handle_pong(event)
            else:
                self.handle_close(event)

    def _handshake_received(self, data: bytes) -> None:
        if self.handshake is not None:
            self._early.append(data)
            if sum(map(len, self._early)) > HIGH_WATER_BYTES:
                self.transport.abort()
            return
        if not self.handshake_initiated and not self.config.ws_per_message_deflate:
            self.handshake = handshake.read(data)
            if self.handshake is not None:
                self._open(self.handshake)
                return
        if not self.handshake_initiated:
            self.conn = self._library()
        super().data_received(data)
        if self.conn.handshake_exc is not None and not (self.handshake_initiated or self.transport.is_closing()):
            # A request that is too long or none: the answer to the first is ready, and nothing in the base class
            # would send it; to the second there is none (an address that is not ASCII, RFC 3986 §2).
            self.handshake_complete = self.close_sent = True
            self.transport.write(b"".join(self.conn.data_to_send()) or BAD_REQUEST)
            self.transport.close()

    def handle_connect(self, event: Request) -> None:
        if self.handshake_initiated:  # the library reads again what was read here, to refuse it
            self.response = self.conn.accept(event)
            return
        super().handle_connect(event)
        if self.response.status_code == 101 and not self.conn.extensions:
            # Ready-made frames carry no compression, so with it negotiated they are not offered.
            extensions: Any = self.scope["extensions"]
            extensions["chorus.frames"] = self

    def _open(self, request: Handshake) -> None:
        """Call the application for a plain handshake; see the base class's handle_connect."""
        self.handshake_initiated = True
        offered = b",".join([value for name, value in request.headers if name == b"sec-websocket-protocol"])
        extensions: Any = {"websocket.http.response": {}, "chorus.frames": self}
        self.scope = {
            "type": "websocket",
            "asgi": {"version": self.asgi_version, "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": self.scheme,
            "server": self.server,
            "client": self.client,
            "root_path": self.root_path,
            "path": self.root_path + request.path,
            "raw_path": self.root_path.encode("ascii") + request.raw_path,
            "query_string": request.query,
            "headers": request.headers,
            "subprotocols": [each.strip() for each in offered.decode("latin-1").split(",")] if offered else [],
            "state": self.app_state.copy(),
            "extensions": extensions,
        }
        self.queue.put_nowait({"type": "websocket.connect"})
        task = self.loop.create_task(self.run_asgi())
        task.add_done_callback(self.on_task_complete)
        self.tasks.add(task)

    def _accept(self, subprotocol: str | None, more: Headers) -> None:
        """Answer a plain handshake. From here on there are frames only, and nothing of the request is kept."""
        assert self.handshake is not None
        if subprotocol:
            more.append((b"Sec-WebSocket-Protocol", subprotocol.encode("latin-1")))
        response = self.handshake.response([*self.default_headers, *more])
        self.handshake = None
        del self.scope  # the application has it
        frames: Any = _Frames(Side.SERVER, max_size=self.config.ws_max_size or None, logger=self.logger)
        self.conn = frames
        self.handshake_complete = True
        self.transport.write(response)
        self.start_keepalive()
        early, self._early = self._early, []
        if early:
            self.data_received(b"".join(early))

    def _library(self) -> _Connection:
        """The library's own handshake, with compression where the server was told to offer it."""
        compression = ServerPerMessageDeflateFactory(server_max_window_bits=12, client_max_window_bits=12)
        return _Connection(
            extensions=[compression] if self.config.ws_per_message_deflate else None,
            max_size=self.config.ws_max_size or None,
            logger=self.logger,
        )

    def _leave_to_library(self) -> None:
        """Have a plain handshake refused by the library, which knows how."""
        assert self.handshake is not None
        lines = [b"GET / HTTP/1.1", *(name + b": " + value for name, value in self.handshake.headers)]
        self.handshake = None
        self.conn = self._library()
        super().data_received(b"\r\n".join(lines) + b"\r\n\r\n")

    def send_receive_event_to_app(self) -> None:
        data, self.frames = b"".join(self.frames), []
        if self.close_sent:
            return
        event: Any
        if self.curr_msg_data_type == "text":
            try:
                event = {"type": "websocket.receive", "text": data.decode()}
            except UnicodeDecodeError:
                self.conn.fail(1007, "invalid UTF-8")
                self.handle_parser_exception()
                return
        else:
            event = {"type": "websocket.receive", "bytes": data}
        self.queue.put_nowait(event)
        # A client is read ahead of its consumer by a few short messages, which spares two calls for each.
        if not self.read_paused and (len(data) > SHORT_BYTES or self.queue.qsize() >= AHEAD):
            self.read_paused = True
            if not self.transport.is_closing():
                self.transport.pause_reading()
