"""How a connection is kept alive, what it is sent, and how it ends (RFC 6455 §5.5, §7).

Closing is final: whatever ends a connection also sets the time at which it is aborted. A peer that has stopped reading
holds it no longer than CLOSING_SECONDS.
"""

import asyncio
import secrets

from realtime.server.frames import CLOSE, PING, PONG, WrongFrame, frame, read_close
from realtime.server.reading import Reading
from realtime.server.shared import Shared
from realtime.server.wheel import NEVER, wheel

CLOSING_SECONDS = 5.0
"""How long a closing handshake, or the flush before it, may take until the connection is aborted."""

OPENING, OPEN, CLOSING, CLOSED = range(4)
"""The handshake is not answered; frames go both ways; a close was sent, or received and answered; nothing goes."""
LOST = 1006


class Closing(Reading):
    """The part of a connection that keeps it alive and ends it."""

    __slots__ = ("_drainers", "_ping", "_pong", "end", "ended", "is_writable", "shared", "state", "tick")

    def __init__(self, shared: Shared, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.shared = shared
        self.loop = loop
        self.max_size = shared.max_size
        self.state = OPENING
        self.ended = False
        """Nothing may be written any more: a close was sent or received, or the connection is gone."""
        self.end = (LOST, "")
        """Code and reason, for the application."""
        self.is_writable = True
        """Whether the peer reads enough for more to be sent."""
        self._drainers: list[asyncio.Future[None]] | None = None
        self._ping: bytes | None = None
        """The payload of our last ping, while its pong is to come."""
        self._pong: bytes | None = None
        """The payload of the peer's last ping, while it does not read what it was sent."""
        self.tick = NEVER

    # What it is sent.

    def write(self, wire: bytes) -> None:
        """Write ready-made frames; not to be called once `ended`."""
        self.transport.write(wire)

    def buffered(self) -> int:
        """Bytes that the kernel has not taken yet."""
        return self.transport.get_write_buffer_size()

    async def drain(self) -> None:
        """Wait until the peer has read enough for more; returns at once when the connection is lost."""
        while not self.is_writable:
            waiter = self.loop.create_future()
            # Those whose tasks were cancelled are done.
            self._drainers = [*(each for each in self._drainers or () if not each.done()), waiter]
            await waiter

    def pause_writing(self) -> None:
        """The transport has more to send than the peer reads."""
        self.is_writable = False

    def resume_writing(self) -> None:
        """The peer has read enough for more."""
        self.is_writable = True
        waiters, self._drainers = self._drainers, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)
        if self._pong is not None and not self.ended:
            payload, self._pong = self._pong, None
            self.write(frame(PONG, payload))

    # Alive or not.

    def opened(self) -> None:
        """The handshake is answered."""
        self.state = OPEN
        if self.shared.ping_interval:
            wheel.here().put(self, self.shared.ping_interval)

    def on_time(self) -> None:
        """What was waited for has not come, or it is time for a ping."""
        if self.state != OPEN:
            self.transport.abort()
        elif self._ping is not None:
            self.close(1011, "keepalive ping timeout")
        else:
            self._send_ping()

    def _send_ping(self) -> None:
        payload = secrets.token_bytes(4)
        self.write(frame(PING, payload))
        if self.shared.ping_timeout:
            self._ping = payload
            wheel.here().put(self, self.shared.ping_timeout)
        elif self.shared.ping_interval:
            wheel.here().put(self, self.shared.ping_interval)

    def control_received(self, opcode: int, payload: bytes) -> None:
        """A close, ping or pong; raises WrongFrame."""
        if opcode == CLOSE:
            self._close_received(payload)
        elif self.state != OPEN:
            return
        elif opcode == PONG:
            if self._ping is not None and payload == self._ping:
                self._ping = None
                if self.shared.ping_interval:
                    wheel.here().put(self, self.shared.ping_interval)
        elif self.is_writable:
            self.write(frame(PONG, payload))
        else:
            # To several pings one pong may answer, the last one's (§5.5.3): so little waits for who does not read.
            self._pong = payload

    # The end.

    def close(self, code: int, reason: str) -> None:
        """Send a close frame, and be done with it in CLOSING_SECONDS; a second time nothing."""
        if self.state != OPEN or self.transport.is_closing():
            return
        self._begin_end(code, reason)
        self.transport.write(frame(CLOSE, code.to_bytes(2) + reason.encode()[:123].decode(errors="ignore").encode()))
        # The peer's close frame must still be read: it may be there already.
        self._held = 0
        self.transport.resume_reading()
        if self._rest:
            self.loop.call_soon(self.data_received, b"")
        self._abort_later()

    def _close_received(self, payload: bytes) -> None:
        code, reason = read_close(payload)
        if self.state == OPEN:
            self._begin_end(code, reason)
            self.transport.write(frame(CLOSE, payload))
        self.hang_up()

    def wrong_received(self, wrong: WrongFrame) -> None:
        """What ends the connection; nothing is taken any more."""
        if self.state == OPEN:
            self._begin_end(wrong.code, wrong.reason)
            self.transport.write(frame(CLOSE, wrong.code.to_bytes(2) + wrong.reason.encode()))
        self.hang_up()

    def _begin_end(self, code: int, reason: str) -> None:
        self.state, self.ended, self.end = CLOSING, True, (code, reason)
        self._put_end()

    def _put_end(self) -> None:
        """Tell whoever takes what is received that nothing more comes."""
        raise NotImplementedError

    def hang_up(self) -> None:
        """Close the connection when all that was written is sent, or in CLOSING_SECONDS; nothing more is read."""
        self.ended = True
        self._rest, self._fragments = b"", None
        if self.state != CLOSING:
            self.state = CLOSED
        if not self.transport.is_closing():
            self.transport.close()
            self._abort_later()

    def _abort_later(self) -> None:
        wheel.here().put(self, CLOSING_SECONDS)

    def lost(self) -> None:
        """The connection is gone: nobody waits for it any more."""
        self.state, self.ended = CLOSED, True
        wheel.here().drop(self)
        self._rest, self._fragments = b"", None
        self.resume_writing()
