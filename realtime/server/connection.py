"""Uvicorn's WebSocket protocol with ready-made frames, a drain at shutdown and a close that is final.

`manage.py serve` names it; so can `uvicorn --ws realtime.server:ChorusProtocol`. It mends what RFC 6455
asks and its base class leaves: text is checked with 1007, a close inside a fragmented message is a clean
close, and a connection whose peer never reads again is aborted.
"""

from typing import TYPE_CHECKING, Any, cast

from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode

from realtime.server.opening import Opening

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent
    from websockets.http11 import Request

CLOSING_SECONDS = 5.0
"""How long a closing handshake, or the flush before it, may take until the connection is aborted."""
DRAINING_SECONDS = 6.0
"""How long a consumer may take to finish at shutdown; longer than it ever waits for the database."""
AHEAD, SHORT_BYTES = 16, 4096
"""So many messages of at most so many bytes are read before the consumer has taken the first."""


class ChorusProtocol(Opening):
    """One WebSocket connection; its scope offers itself as `extensions["chorus.frames"]` (a FrameWriter)."""

    # What the consumer's outbox uses: see realtime.hub.outbox.FrameWriter.

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
        is_open = self.handshake_complete and self.initial_response is None
        if message["type"] == "websocket.close" and is_open:
            self._close(message.get("code", 1000), message.get("reason") or "")
        else:
            await super().send(message)

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
