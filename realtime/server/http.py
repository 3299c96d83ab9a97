"""HTTP under Uvicorn's own protocol, with bounds around it; a handshake in pieces becomes a WebSocket here."""

from http import HTTPStatus
from typing import Any, NoReturn

from httptools import HttpParserError, HttpParserUpgrade

from realtime.server.handshake import MAX_BYTES, MAX_HEADERS, Refusal
from realtime.server.timed_http import ANSWER, BODY, HEAD, IDLE, LEAVING, NEW, TimedHttp
from realtime.server.unfinished import unfinished

TURN_BYTES = 64 * 1024
"""Who sends so much at once is read on in the next turn of the event loop: it may be one body in very small chunks."""
PIPELINED = 50
"""Requests that may wait for the answers to those before them on one connection."""
END = b"\r\n\r\n"


class HttpProtocol(TimedHttp):
    """One connection of HTTP/1.1."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.url = b""
        self._head_bytes = 0
        """Of this head's lines that are whole, and of trailers."""
        self._refusal: Refusal | None = None
        self._becomes_websocket = False

    # The transport's side.

    def data_received(self, data: bytes) -> None:
        """Read on."""
        before = self.waits_for
        if before == LEAVING:
            self.linger(len(data))
            return
        self.received += len(data)
        try:
            self._parse(data)
        except HttpParserError:  # or a Refusal of ours within
            self.refuse(self._refusal or Refusal(HTTPStatus.BAD_REQUEST, "This is no request of HTTP."))
        if self.waits_for == HEAD and before in {NEW, IDLE}:  # all of it is of this head
            self.received = len(data)
        if self.waits_for in {NEW, HEAD, IDLE} and self.received > MAX_BYTES:
            self.refuse(_too_long())
        if len(data) >= TURN_BYTES and not (self.flow.read_paused or self._becomes_websocket):
            self.flow.pause_reading()
            self.loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        if not self.transport.is_closing():
            self.flow.resume_reading()

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            rest = data[upgrade.args[0] :]
            if self._becomes_websocket:
                self._upgrade(rest)
            elif rest:  # the protocol stays what it is: that was a request like any other (RFC 9110 §7.8)
                self._parse(rest)

    # Handshakes of WebSockets.

    def _upgrade(self, rest: bytes) -> None:
        """A request that wants to become a WebSocket, and may be wrong: it is read again, as it was sent."""
        if self.unanswered:  # nothing can be said in the middle of another answer
            self._becomes_websocket = False
            self.refuse(Refusal(HTTPStatus.BAD_REQUEST, "A handshake waits for the answer before it."))
            return
        self._leave()
        version = self.scope["http_version"].encode()
        lines = [self.scope["method"].encode() + b" " + self.url + b" HTTP/" + version]
        lines += [name + b": " + value for name, value in self.headers]
        assert self.ws_protocol_class is not None
        protocol: Any = self.ws_protocol_class(self.config, self.server_state, self.app_state)  # type: ignore[call-arg]
        protocol.connection_made(self.transport)
        self.transport.set_protocol(protocol)
        protocol.data_received(b"\r\n".join(lines) + END + rest)

    def _leave(self) -> None:
        self.connections.discard(self)
        self.forget()

    # The parser's side.

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._head_bytes = 0
        if self.waits_for == NEW:  # its time has begun with the connection
            self.waits_for, self.received = HEAD, 0
        else:
            self.begin(HEAD)

    def on_url(self, url: bytes) -> None:
        """A part of the address; raises Refusal."""
        super().on_url(url)
        if len(self.url) > MAX_BYTES:
            self._stop(Refusal(HTTPStatus.REQUEST_URI_TOO_LONG, f"The address is too long (max {MAX_BYTES} bytes)"))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer of a body in chunks; raises Refusal."""
        self._head_bytes += len(name) + len(value) + len(": \r\n")
        if len(self.url) + self._head_bytes > MAX_BYTES:
            self._stop(_too_long())
        if self.waits_for == BODY:  # a trailer must not pass for a header (RFC 9110 §6.5.1)
            return
        if len(self.headers) >= MAX_HEADERS:
            why = f"Too many headers (max {MAX_HEADERS})"
            self._stop(Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, why))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole; raises Refusal."""
        if len(self.pipeline) >= PIPELINED:
            self._stop(Refusal(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests wait on this connection."))
        before = self.cycle
        super().on_headers_complete()
        self._becomes_websocket = self.cycle is before
        if not self._becomes_websocket:
            self.unanswered.append(self.cycle)
        self.wait_for(BODY)

    def on_message_complete(self) -> None:
        """The body is whole."""
        unfinished.here().discard(self)
        self.wait_for(ANSWER)
        super().on_message_complete()
        self._be_idle()

    def on_response_complete(self) -> None:
        """The answer is written, if not read."""
        self.unanswered.popleft()
        self._be_idle()
        super().on_response_complete()

    def _be_idle(self) -> None:
        if self.waits_for == ANSWER and not self.unanswered:
            self.wait_for(IDLE, self.timeout_keep_alive)

    def _stop(self, refusal: Refusal) -> NoReturn:
        self._refusal = refusal
        raise refusal


def _too_long() -> Refusal:
    return Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"Too many bytes of headers (max {MAX_BYTES})")
