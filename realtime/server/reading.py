"""What comes in on an open connection: frames (RFC 6455 §5), taken out of what was received in bounded turns.

Whatever a client sends, and however fast, it has its turn of the event loop like everybody else: after TURN_FRAMES
frames reading pauses until the others had theirs. What it sends beyond a turn waits in the kernel, and in the client.
"""

import asyncio
from abc import abstractmethod

try:
    from websockets.speedups import apply_mask
except ImportError:  # not compiled for this machine
    from websockets.utils import apply_mask

from realtime.rates import Bucket
from realtime.server.frames import BINARY, CLOSE, CONT, FIN, PING, PONG, TEXT, WrongFrame

TURN_FRAMES = 64
"""Frames of one connection that are taken in one turn of the loop."""
CONTROLS_PER_SECOND, CONTROL_BURST = 50.0, 500
"""Pings and pongs that are read from one connection; beyond them reading pauses for the rest of the second."""
FREE_FRAGMENTS, BYTES_PER_FRAGMENT = 1024, 16
"""A message in more fragments than that has so many bytes in each of them on average."""

RESERVED, CONTROL, MASKED = 0x70, 0x08, 0x80
MESSAGES = frozenset({FIN | TEXT, FIN | BINARY, TEXT, BINARY, CONT, FIN | CONT})
"""First bytes of frames that are messages, or parts of one."""
OPCODES = frozenset({CONT, TEXT, BINARY, CLOSE, PING, PONG})

TURN, CONSUMER, RATE = 1, 2, 4
"""Why reading pauses: others have their turn, the consumer is behind, the client sends too many control frames."""


class Reading(asyncio.Protocol):
    """The reading half of a connection."""

    __slots__ = (
        *("_at", "_controls", "_count", "_fragments", "_held", "_kind", "_need", "_rest"),
        *("loop", "max_size", "transport"),
    )

    transport: asyncio.Transport
    loop: asyncio.AbstractEventLoop
    max_size: int
    """Bytes that a message may have; 0: any number."""

    def __init__(self) -> None:
        self._rest: bytes | bytearray = b""
        """What was received and not taken, from `_at` on."""
        self._at = 0
        self._need = 0
        """Bytes that `_rest` must have for the frame at its beginning to be whole."""
        self._held = 0
        """Why reading pauses, as bits."""
        self._fragments: bytearray | None = None
        self._kind = self._count = 0
        self._controls: Bucket | None = None

    # What a subclass makes of it.

    @abstractmethod
    def text_received(self, text: str) -> None:
        """A whole text message."""

    @abstractmethod
    def bytes_received(self, data: bytes) -> None:
        """A whole binary message."""

    @abstractmethod
    def control_received(self, opcode: int, payload: bytes) -> None:
        """A close, ping or pong; raises WrongFrame."""

    @abstractmethod
    def wrong_received(self, wrong: WrongFrame) -> None:
        """What ends the connection; nothing is taken any more."""

    # Pausing.

    def hold(self, why: int) -> None:
        """Read no more until that is released."""
        if not (self._held or self.transport.is_closing()):
            self.transport.pause_reading()
        self._held |= why

    def release(self, why: int) -> None:
        """Go on, unless reading pauses for something else too: first with what was received already."""
        if not self._held & why:
            return
        self._held &= ~why
        if self._held:
            return
        if self._rest:
            self._take()
        self._go_on()

    def _go_on(self) -> None:
        if not (self._held or self.transport.is_closing()):
            self.transport.resume_reading()

    # Taking.

    def data_received(self, data: bytes) -> None:
        """Take what is whole; the rest waits for more."""
        if self._rest:
            rest = self._rest
            if not isinstance(rest, bytearray):
                rest = self._rest = bytearray(rest[self._at :])
                self._at = 0
            rest += data
            if self._held or len(rest) - self._at < self._need:
                return
        else:
            self._rest, self._at = data, 0
        self._take()

    def _take(self) -> None:
        """Take frames until one is not whole, or reading is held. `_rest` is empty or begins with a frame at `_at`."""
        try:
            self._take_frames()
        except WrongFrame as wrong:
            self._rest, self._fragments = b"", None
            self.wrong_received(wrong)

    def _take_frames(self) -> None:
        # This runs once for each frame that anybody sends: nothing is called that need not be.
        data, at = self._rest, self._at
        size, left = len(data), TURN_FRAMES
        self._need = 2
        while size - at >= 2:
            first, second = data[at], data[at + 1]
            length, start = second & 0x7F, at + 6
            if length > 125 or second < MASKED or first not in MESSAGES:
                length, start = self._header(data, at)
            end = start + length
            if end > size:
                self._need = end - at
                break
            payload = apply_mask(data[start:end], data[start - 4 : start]) if length else b""
            # The handler may hold reading, or even end the connection: `_rest` has to be true before it is called.
            self._at = at = end
            if first == FIN | TEXT and self._fragments is None:
                self._text(payload)
            elif first & CONTROL:
                self._control(first & 0x0F, payload)
            else:
                self._data(first & 0x0F, bool(first & FIN), payload)
            if self._rest is not data:  # the connection ended, or is somebody else's to read
                return
            left -= 1
            if self._held or not left:
                break
        self._keep(data, at, is_turn_over=not left)

    def _header(self, data: bytes | bytearray, at: int) -> tuple[int, int]:
        """Where the payload of a frame begins that is no short message, and its length, or 0 while that is not there.

        Raises WrongFrame for what is wrong already, before a payload is waited for.
        """
        first, length, start = data[at], data[at + 1] & 0x7F, at + 6
        if data[at + 1] < MASKED:
            raise WrongFrame(1002, "unmasked frame")
        if first & RESERVED:
            raise WrongFrame(1002, "reserved bits must be 0")
        if first & 0x0F not in OPCODES:
            raise WrongFrame(1002, "invalid opcode")
        if length > 125:
            extended = 2 if length == 126 else 8
            start += extended
            if len(data) < start - 4:
                return 0, start
            length = int.from_bytes(data[at + 2 : at + 2 + extended])
        if first & CONTROL:
            if length > 125 or not first & FIN:
                raise WrongFrame(1002, "control frame too long" if length > 125 else "fragmented control frame")
        else:
            self._check_size(length)
        return length, start

    def _keep(self, data: bytes | bytearray, at: int, *, is_turn_over: bool) -> None:
        """Keep what was not taken. A buffer that grows is not copied for each frame, and does not grow for ever."""
        if at >= len(data):
            self._rest, self._at = b"", 0
            return
        if is_turn_over:
            self.hold(TURN)
            self.loop.call_soon(self.release, TURN)
        if not self._held:
            self._rest, self._at = bytearray(data[at:]), 0

    def _check_size(self, more: int) -> None:
        if self.max_size and more + len(self._fragments or b"") > self.max_size:
            raise WrongFrame(1009, f"message too big (max {self.max_size} bytes)")

    def _text(self, payload: bytes | bytearray) -> None:
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            raise WrongFrame(1007, "invalid UTF-8") from None
        self.text_received(text)

    def _control(self, opcode: int, payload: bytes) -> None:
        if self._controls is None:
            self._controls = Bucket(CONTROL_BURST)
        wait = self._controls.wait(CONTROLS_PER_SECOND, CONTROL_BURST)
        self._controls.spend(1)
        if wait:
            self.hold(RATE)
            self.loop.call_later(wait, self.release, RATE)
        self.control_received(opcode, payload)

    def _data(self, opcode: int, final: bool, payload: bytes) -> None:
        """Take a binary message, or a part of a message; raises WrongFrame for what cannot stand here (§5.4)."""
        if (opcode == CONT) is (self._fragments is None):
            wrong = "unexpected continuation frame" if opcode == CONT else "expected a continuation frame"
            raise WrongFrame(1002, wrong)
        if opcode == BINARY and final:
            self.bytes_received(bytes(payload))
            return
        if self._fragments is None:
            self._fragments, self._kind, self._count = bytearray(), opcode, 0
        whole = self._fragments
        self._check_size(len(payload))
        whole += payload
        self._count += 1
        if self._count > FREE_FRAGMENTS and len(whole) < self._count * BYTES_PER_FRAGMENT:
            raise WrongFrame(1008, "too many fragments")
        if final:
            self._fragments = None
            if self._kind == TEXT:
                self._text(whole)
            else:
                self.bytes_received(bytes(whole))
