"""A client on a bare socket, for what no WebSocket library would send (RFC 6455 §5.2)."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

import pytest

from tests.processes import Server

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
WAIT_SECONDS = 10.0
MASK = b"\x12\x34\x56\x78"
HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True) -> bytes:
    """Build a frame as a client sends it, right or wrong."""
    body = mask(payload) if masked else payload
    return header(opcode, len(payload), fin=fin, rsv=rsv, masked=masked) + body


def header(opcode: int, size: int, *, fin: bool = True, rsv: int = 0, masked: bool = True) -> bytes:
    """Build the header of a frame that says it holds `size` bytes."""
    first = fin << 7 | rsv << 4 | opcode
    bit = masked << 7
    if size < 126:
        length = bytes([bit | size])
    elif size < 65536:
        length = bytes([bit | 126]) + size.to_bytes(2)
    else:
        length = bytes([bit | 127]) + size.to_bytes(8)
    return bytes([first]) + length + (MASK if masked else b"")


def mask(payload: bytes) -> bytes:
    """Mask a payload with MASK."""
    key = MASK * (len(payload) // 4 + 1)
    return (int.from_bytes(payload) ^ int.from_bytes(key[: len(payload)])).to_bytes(len(payload))


class RawClient:
    """A connected socket and what came over it."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        connection.settimeout(WAIT_SECONDS)
        self._received = b""

    def send(self, data: bytes) -> Self:
        """Send bytes; a server that has hung up meanwhile is no failure here."""
        with suppress(OSError):
            self.connection.sendall(data)
        return self

    def send_until_stuck(self, data: bytes) -> None:
        """Send the same again and again until the server takes no more, as it has to before 64 MiB."""
        self.connection.settimeout(1)
        with pytest.raises(TimeoutError):
            self.connection.sendall(data * (64 * 1024 * 1024 // len(data)))
        self.connection.settimeout(WAIT_SECONDS)

    def _read(self, size: int) -> bytes:
        while len(self._received) < size:
            try:
                data = self.connection.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                raise EOFError
            self._received += data
        data, self._received = self._received[:size], self._received[size:]
        return data

    def answer(self) -> int:
        """Read an HTTP answer's head and return its status; raises EOFError if there is none."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._read(1)
        return int(head.split()[1])

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """Read frames, opcode and payload, until the connection ends."""
        try:
            while True:
                first, second = self._read(2)
                size = second & 127
                if size > 125:
                    size = int.from_bytes(self._read(2 if size == 126 else 8))
                yield first & 15, self._read(size)
        except EOFError:
            return

    def close_code(self) -> int | None:
        """Read to the end; returns the close frame's code (1005: it had none), or None if there was none."""
        codes = [int.from_bytes(data[:2]) or 1005 for opcode, data in self.frames() if opcode == CLOSE]
        assert len(codes) <= 1, "nothing follows a close frame, least of all another"
        return codes[0] if codes else None


@contextmanager
def dial(server: Server, *, receive_buffer: int | None = None) -> Iterator[RawClient]:
    """Connect without a word. A small receive buffer (bytes) makes a reader that stops felt at once."""
    with socket.socket() as connection:
        if receive_buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(WAIT_SECONDS)
        connection.connect(("127.0.0.1", server.port))
        yield RawClient(connection)


@contextmanager
def open_raw(server: Server, path: str, *, receive_buffer: int | None = None) -> Iterator[RawClient]:
    """Connect and shake hands."""
    with dial(server, receive_buffer=receive_buffer) as client:
        client.send(HANDSHAKE.format(path=path, host=f"127.0.0.1:{server.port}").encode())
        assert client.answer() == 101
        yield client
