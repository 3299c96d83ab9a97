"""A connection up to the answer to its opening handshake (RFC 6455 §4.2).

A plain handshake is read by realtime.server.handshake; everything unusual goes to the library that knows it all.
"""

import asyncio
import logging
from asyncio.transports import BaseTransport
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected, get_local_addr, get_remote_addr, is_ssl
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets import http11
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request
from websockets.protocol import Side

from realtime.server import handshake
from realtime.server.frames import Frames, WholeConnection, bound_send_buffer
from realtime.server.handshake import MAX_BYTES, MAX_HEADERS, Handshake, Headers
from realtime.server.waiting import Gate, Inbox

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

HIGH_WATER_BYTES = 64 * 1024
"""From here on `drain` waits; and no client may send more before its handshake was answered."""
# The library has no other way to be told; it may have to read again, to refuse it, what was read here.
http11.MAX_LINE_LENGTH, http11.MAX_NUM_HEADERS = MAX_BYTES, MAX_HEADERS

TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Opening(WebSocketsSansIOProtocol):
    """A WebSocket connection before it is open."""

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

    # Its end, as far as the handshake knows it.

    @property
    def close_sent(self) -> bool:
        """Whether a close frame was sent; the base class sets it in several places."""
        return self._close_sent

    @close_sent.setter
    def close_sent(self, sent: bool) -> None:
        self._close_sent = sent
        self.ended = self.ended or sent

    def send_500_response(self) -> None:
        """Answer that the application failed or the server stops, where an answer is still owed."""
        if not self.handshake_initiated:  # nothing was asked
            return
        if self.handshake is not None and not self.handshake_complete:
            self._leave_to_library()
        super().send_500_response()

    # The handshake.

    async def send(self, message: "ASGISendEvent") -> None:
        """The ASGI send."""
        if self.handshake is not None and not self.disconnected:
            if self.transport.is_closing():  # the connection is lost, and its loss not told yet
                raise ClientDisconnected
            if message["type"] == "websocket.accept":
                self._accept(message.get("subprotocol"), [*message.get("headers", ())])
                return
            self._leave_to_library()
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True  # refused: nothing else is owed to the client

    def data_received(self, data: bytes) -> None:
        if self.handshake_complete:
            super().data_received(data)
        else:
            self._handshake_received(data)

    def _handshake_received(self, data: bytes) -> None:
        if self.handshake is not None:
            self._early.append(data)
            if sum(map(len, self._early)) > HIGH_WATER_BYTES:
                self.transport.abort()
            return
        if not self.handshake_initiated and len(data) > MAX_BYTES:
            self.conn = self._library()
            self._refuse(TOO_LARGE)
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
            self._refuse(b"".join(self.conn.data_to_send()) or BAD_REQUEST)

    def _refuse(self, answer: bytes) -> None:
        self.handshake_complete = self.close_sent = True
        self.transport.write(answer)
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
        frames: Any = Frames(Side.SERVER, max_size=self.config.ws_max_size or None, logger=self.logger)
        self.conn = frames
        self.handshake_complete = True
        self.transport.write(response)
        self.start_keepalive()
        early, self._early = self._early, []
        if early:
            self.data_received(b"".join(early))

    def _library(self) -> WholeConnection:
        """The library's own handshake, with compression where the server was told to offer it."""
        compression = ServerPerMessageDeflateFactory(server_max_window_bits=12, client_max_window_bits=12)
        return WholeConnection(
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
