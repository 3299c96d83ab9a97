"""What a load generator has to know of RFC 6455: it writes frames ready-made, and of those it reads only headers."""

from dataclasses import dataclass

CONTROL = 0x08
"""Set in the opcode of a control frame (§5.5)."""
TEXT, CLOSE, PING, PONG = 0x81, 0x88, 0x89, 0x8A


BINARY = 0x82


@dataclass(frozen=True, slots=True)
class Speech:
    """How a server's clients speak, where they speak another protocol inside the messages."""

    greeting: bytes = b""
    """Ready-made frames that each client sends once it is let in."""
    opcode: int = TEXT
    unit: int = 0
    """Bytes of a published message as it comes, where several may come in one frame; 0: a frame is a message."""


PLAIN = Speech()
"""Plain messages."""


def handshake(host: str, path: str, headers: str = "") -> bytes:
    """The request that opens a connection (§4.1); `headers` are more lines, each with its line end."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    ).encode()


def client_frame(payload: str | bytes, opcode: int = TEXT) -> bytes:
    """One masked frame (§5.3). The key is zero, so that masking costs the generator nothing; a server cannot tell."""
    data = payload.encode() if isinstance(payload, str) else payload
    if len(data) < 126:
        header = bytes((opcode, 0x80 | len(data)))
    elif len(data) < 65536:
        header = bytes((opcode, 0x80 | 126)) + len(data).to_bytes(2)
    else:
        header = bytes((opcode, 0x80 | 127)) + len(data).to_bytes(8)
    return header + bytes(4) + data


class Counter:
    """Counts the messages in a stream of unmasked frames, wherever the reads cut it. Payloads are skipped unread."""

    __slots__ = ("_begun", "_skip", "control", "payload")

    def __init__(self) -> None:
        self._skip = 0
        """Bytes of a message that are still to come."""
        self._begun = b""
        """A header, or a control frame, of which the rest is still to come."""
        self.control: list[tuple[int, bytes]] = []
        """Control frames that have come and nobody has answered: first byte and payload."""
        self.payload = 0
        """Bytes of all messages whose beginning has come."""

    @property
    def between(self) -> bool:
        """Whether the next byte begins a frame."""
        return not (self._skip or self._begun)

    def feed(self, data: bytearray, size: int) -> int:
        """Count the messages that begin in the first `size` bytes of `data`."""
        if self._begun:
            data = bytearray(self._begun) + data[:size]
            size, self._begun = len(data), b""
        position = self._skip
        count = 0
        while position < size:
            start = position
            if start + 10 > size and (start + 1 >= size or start + _header(data[start + 1]) > size):
                return self._keep(data[start:size], count)
            length = data[start + 1]
            position += _header(length)
            if length > 125:
                length = int.from_bytes(data[start + 2 : position])
            position += length
            if data[start] & CONTROL:
                if position > size:
                    return self._keep(data[start:size], count)
                self.control.append((data[start], bytes(data[start + 2 : position])))
            else:
                self.payload += length
                count += data[start] >> 7  # the last frame of a message
        self._skip = position - size
        return count

    def _keep(self, begun: bytearray, count: int) -> int:
        self._begun, self._skip = bytes(begun), 0
        return count


class PackedCounter(Counter):
    """Counts by bytes, where a frame may hold several messages of `unit` bytes each."""

    __slots__ = ("_counted", "_unit")

    def __init__(self, unit: int) -> None:
        super().__init__()
        self._unit = unit
        self._counted = 0

    @property
    def between(self) -> bool:
        """Never: every frame has to be measured."""
        return False

    def feed(self, data: bytearray, size: int) -> int:
        """Count the messages whose frames begin in the first `size` bytes of `data`."""
        super().feed(data, size)
        before, self._counted = self._counted, self.payload // self._unit
        return self._counted - before


def _header(length: int) -> int:
    return 2 if length < 126 else 4 if length == 126 else 10
