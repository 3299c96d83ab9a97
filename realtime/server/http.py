"""HTTP under Uvicorn's own protocol, with deadlines and bounds around it; and the short way of a plain handshake.

Whoever sends half a request, or reads half an answer, holds nothing for long: a head has HEAD_SECONDS from the
connection's first moment, a body and the reading of an answer have a least rate.
"""

import re
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from realtime.server import handshake
from realtime.server.connection import ChorusProtocol
from realtime.server.handshake import MAX_BYTES, MAX_HEADERS, Refusal
from realtime.server.unfinished import unfinished
from realtime.server.wheel import NEVER, wheel

HEAD_SECONDS = 10.0
"""From the connection's first moment, or a later request's first byte, to the end of its head."""
CHECK_SECONDS, LEAST_RATE = 10.0, 500
"""How often the progress of a body and of an answer is looked at; bytes per second that there have to be."""
PIPELINED = 50
"""Requests that may wait for the answers to those before them on one connection."""
HANDSHAKE = re.compile(rb"\r\nupgrade:[ \t]*websocket", re.IGNORECASE)
END = b"\r\n\r\n"

HEAD, BODY, ANSWER, IDLE = range(4)
"""What a connection waits for: a request's head, its body, the answer, another request."""


class HttpProtocol(HttpToolsProtocol):
    """One connection of HTTP/1.1."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tick = NEVER
        self._waits_for = HEAD
        self._received = 0
        """Bytes of this head, or of this body since progress was last looked at."""
        self._head_bytes = 0
        self._unread = 0
        """Bytes of answers that waited for the client when progress was last looked at."""
        self._refusal: Refusal | None = None
        self._is_new = True
        """Nothing was received yet."""
        self.url = b""

    # The transport's side.

    def connection_made(self, transport: Any) -> None:
        """A client has connected, and has HEAD_SECONDS to say what it wants."""
        super().connection_made(transport)
        unfinished.here().add(self, self._address)
        wheel.here().put(self, HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self.tick = NEVER
        unfinished.here().discard(self)
        super().connection_lost(exc)

    @property
    def _address(self) -> str:
        return self.client[0] if self.client else ""

    def data_received(self, data: bytes) -> None:
        """Read on."""
        is_new, self._is_new = self._is_new, False
        if is_new and self._hand_over(data):
            return
        self._received += len(data)
        super().data_received(data)
        if self._waits_for == HEAD and self._received > MAX_BYTES and not self.transport.is_closing():
            self._refusal = self._refusal or _too_long(self.url)
            self.send_400_response("")

    def _hand_over(self, data: bytes) -> bool:
        """Make a WebSocket of the connection at once, if its first bytes are a whole handshake that is right."""
        end = data.find(END)
        if end < 0 or not HANDSHAKE.search(data, 0, end) or self.ws_protocol_class is not ChorusProtocol:
            return False
        try:
            asked = handshake.read(data[: end + len(END)])
        except Refusal:  # which may be right for HTTP
            return False
        self._leave()
        connection = ChorusProtocol(self.config, self.server_state, self.app_state)
        connection.connection_made(self.transport)
        self.transport.set_protocol(connection)
        connection.asked(asked, data[end + len(END) :])
        return True

    def _leave(self) -> None:
        self.connections.discard(self)
        unfinished.here().discard(self)
        self.tick = NEVER

    def handle_websocket_upgrade(self) -> None:
        """A request that wants to become a WebSocket, and may be wrong: it is read again, as it was sent."""
        self._leave()
        version = self.scope["http_version"].encode()
        lines = [self.scope["method"].encode() + b" " + self.url + b" HTTP/" + version]
        lines += [name + b": " + value for name, value in self.headers]
        assert self.ws_protocol_class is not None
        protocol: Any = self.ws_protocol_class(self.config, self.server_state, self.app_state)  # type: ignore[call-arg]
        protocol.connection_made(self.transport)
        self.transport.set_protocol(protocol)
        protocol.data_received(b"\r\n".join(lines) + END)

    # The parser's side.

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._waits_for = HEAD
        self._received = self._head_bytes = 0
        unfinished.here().add(self, self._address)
        wheel.here().put(self, HEAD_SECONDS)

    def on_url(self, url: bytes) -> None:
        """A part of the address; raises Refusal."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer of a body in chunks; raises Refusal."""
        self._count(len(name) + len(value) + 4)
        if len(self.headers) >= MAX_HEADERS:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"Too many headers (max {MAX_HEADERS})")
        super().on_header(name, value)

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_BYTES:
            self._refusal = _too_long(self.url if self.headers else b"")
            raise self._refusal

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        self._refusal = Refusal(status, why)
        raise self._refusal

    def on_headers_complete(self) -> None:
        """The head is whole; raises Refusal."""
        if len(self.pipeline) >= PIPELINED:
            self._refuse(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests wait on this connection.")
        self._waits_for = BODY
        self._received = 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is whole."""
        self._waits_for = ANSWER
        unfinished.here().discard(self)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is written, if not read."""
        if self._waits_for == ANSWER and not self.pipeline:
            self._waits_for = IDLE
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read."""
        unfinished.here().discard(self)
        cycle: Any = self.cycle  # None before the first request
        if cycle is not None and cycle.response_started and not cycle.response_complete:
            self.transport.close()  # in the middle of another answer nothing can be said
        elif self._refusal is None:
            super().send_400_response(msg)
        else:
            self.transport.write(self._refusal.response(self.server_state.default_headers))
            self.transport.close()

    # Progress.

    def on_time(self) -> None:
        """Look whether what is waited for comes."""
        least = LEAST_RATE * CHECK_SECONDS
        unread, before = self.transport.get_write_buffer_size(), self._unread
        self._unread = unread
        if unread and before and unread > before - least:
            self.give_up()
        elif not self.flow.read_paused and (
            self._waits_for == HEAD or (self._waits_for == BODY and self._received < least)
        ):
            unfinished.here().expire(self, self._address)
        else:
            self._received = 0
            wheel.here().put(self, CHECK_SECONDS)

    def resume_writing(self) -> None:
        """The client reads: more is written than it has read, and that is progress."""
        self._unread = 0
        super().resume_writing()

    def give_up(self) -> None:
        """End a connection on which nothing comes on: with a word where one was begun and can be read."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        elif self._waits_for == BODY or (self._waits_for == HEAD and self._received):
            self._refusal = Refusal(HTTPStatus.REQUEST_TIMEOUT, "The request took too long.")
            self.send_400_response("")
        else:
            self.transport.close()


def _too_long(url: bytes) -> Refusal:
    if len(url) > MAX_BYTES // 2:
        return Refusal(HTTPStatus.REQUEST_URI_TOO_LONG, f"The address is too long (max {MAX_BYTES} bytes with headers)")
    return Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"Too many bytes of headers (max {MAX_BYTES})")
