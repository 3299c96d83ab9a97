"""HTTP under Uvicorn's own protocol, with deadlines and bounds around it.

Whoever sends half a request, or reads half an answer, holds nothing for long: a head has CHORUS_HEAD_TIMEOUT from the
connection's first moment, a body and the reading of an answer have a least rate, CHORUS_LEAST_RATE.
"""

from http import HTTPStatus
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from realtime.conf import conf
from realtime.server.handshake import MAX_BYTES, MAX_HEADERS, Refusal
from realtime.server.progress import Progress
from realtime.server.unfinished import unfinished
from realtime.server.wheel import NEVER, wheel

CHECK_SECONDS = 10.0
"""How often the progress of a body and of an answer is looked at."""
TURN_BYTES = 64 * 1024
"""Who sends so much at once is read on in the next turn of the event loop: it may be one body in very small chunks."""
PIPELINED = 50
"""Requests that may wait for the answers to those before them on one connection."""
END = b"\r\n\r\n"

NEW, HEAD, BODY, ANSWER, IDLE = range(5)
"""What a connection waits for: its first byte, a request's head, its body, the answer, another request."""


class HttpProtocol(HttpToolsProtocol):
    """One connection of HTTP/1.1."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tick = NEVER
        self.url = b""
        self._waits_for = NEW
        self._received = 0  # bytes of this head, or of this body since it was last looked at
        self._head_bytes = 0  # of lines that are whole, and of trailers
        self._unanswered = 0
        """Requests whose heads were read and whose answers are not complete."""
        self._progress = Progress()
        self._refusal: Refusal | None = None
        self._becomes_websocket = False

    # The transport's side.

    def connection_made(self, transport: Any) -> None:
        """A client has connected, and has CHORUS_HEAD_TIMEOUT to say what it wants."""
        super().connection_made(transport)
        unfinished.here().add(self, self._address)
        wheel.here().put(self, conf.head_timeout or CHECK_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        wheel.here().drop(self)
        unfinished.here().discard(self)
        super().connection_lost(exc)

    @property
    def _address(self) -> str:
        return self.client[0] if self.client else ""

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._received += len(data)
        try:
            self._parse(data)
        except HttpParserError:  # or a Refusal of ours within
            self.send_400_response("This is no request of HTTP.")
        if self._waits_for in {NEW, HEAD, IDLE} and self._received > MAX_BYTES and not self.transport.is_closing():
            self._refusal = _too_long()
            self.send_400_response("")
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

    def resume_writing(self) -> None:
        """The client has read enough for more."""
        self._progress.made()
        super().resume_writing()

    # Handshakes of WebSockets.

    def _upgrade(self, rest: bytes) -> None:
        """A request that wants to become a WebSocket, and may be wrong: it is read again, as it was sent."""
        if self._unanswered:  # nothing can be said in the middle of another answer
            self.transport.close()
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
        unfinished.here().discard(self)
        wheel.here().drop(self)

    # The parser's side.

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._waits_for = HEAD
        self._received = self._head_bytes = 0
        unfinished.here().add(self, self._address)
        wheel.here().put(self, conf.head_timeout or CHECK_SECONDS)

    def on_url(self, url: bytes) -> None:
        """A part of the address; raises Refusal."""
        super().on_url(url)
        if len(self.url) > MAX_BYTES:
            self._refuse(Refusal(HTTPStatus.REQUEST_URI_TOO_LONG, f"The address is too long (max {MAX_BYTES} bytes)"))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer of a body in chunks; raises Refusal."""
        self._head_bytes += len(name) + len(value) + len(": \r\n")
        if len(self.url) + self._head_bytes > MAX_BYTES:
            self._refuse(_too_long())
        if self._waits_for == BODY:  # a trailer must not pass for a header (RFC 9110 §6.5.1)
            return
        if len(self.headers) >= MAX_HEADERS:
            why = f"Too many headers (max {MAX_HEADERS})"
            self._refuse(Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, why))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole; raises Refusal."""
        if len(self.pipeline) >= PIPELINED:
            self._refuse(Refusal(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests wait on this connection."))
        before = self.cycle
        super().on_headers_complete()
        self._becomes_websocket = self.cycle is before
        self._unanswered += not self._becomes_websocket
        self._waits_for = BODY
        self._received = 0
        wheel.here().put(self, CHECK_SECONDS)

    def on_message_complete(self) -> None:
        """The body is whole."""
        unfinished.here().discard(self)
        self._waits_for = ANSWER
        super().on_message_complete()
        if not self._unanswered:  # the answer did not wait for it
            self._be_idle()

    def on_response_complete(self) -> None:
        """The answer is written, if not read."""
        self._unanswered -= 1
        if self._waits_for == ANSWER and not self._unanswered:
            self._be_idle()
        super().on_response_complete()

    def _be_idle(self) -> None:
        self._waits_for = IDLE
        self._received = 0
        wheel.here().put(self, self.timeout_keep_alive)

    def _refuse(self, refusal: Refusal) -> None:
        self._refusal = refusal
        raise refusal

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read, or what was refused already."""
        unfinished.here().discard(self)
        is_next = self._unanswered == 0 or (self._unanswered == 1 and self._waits_for == BODY)
        # In the middle of another answer, or before it, nothing can be said.
        if is_next and not (self._unanswered and self.cycle.response_started):
            refusal = self._refusal or Refusal(HTTPStatus.BAD_REQUEST, msg)
            self.transport.write(refusal.response(self.server_state.default_headers))
        self.transport.close()

    # Time.

    def timeout_keep_alive_handler(self) -> None:
        """Nothing: the wheel ends a connection that is idle, whatever it sends that is no request."""

    def on_time(self) -> None:
        """Look whether what is waited for comes."""
        wheel.here().put(self, CHECK_SECONDS)
        if self._progress.has_stalled(self.transport, conf.least_rate * CHECK_SECONDS):
            self.transport.abort()
        elif self.transport.is_closing():
            pass  # what is written is still being read
        elif self._waits_for == IDLE:
            self.transport.close()
        elif self._is_late():
            unfinished.here().expire(self, self._address)
        else:
            self._received = 0

    def _is_late(self) -> bool:
        if self._waits_for == BODY:
            return self._received < conf.least_rate * CHECK_SECONDS and not self.flow.read_paused
        return self._waits_for in {NEW, HEAD} and bool(conf.head_timeout)

    def give_up(self) -> None:
        """End a connection whose request does not come: with a word where one was begun."""
        if self._waits_for in {HEAD, BODY}:
            self._refusal = Refusal(HTTPStatus.REQUEST_TIMEOUT, "The request took too long.")
            self.send_400_response("")
        else:
            self.transport.close()


def _too_long() -> Refusal:
    return Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"Too many bytes of headers (max {MAX_BYTES})")
