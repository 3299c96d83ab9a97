"""The load: some thousand connections in one process, one `epoll` and one buffer, no task or object for a message."""

import gc
import select
import socket
import struct
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Self

from benchmarks.load.wire import CLOSE, PING, PLAIN, PONG, TEXT, Counter, PackedCounter, Speech, client_frame, handshake

READ_BYTES = 256 * 1024
OPENING_AT_ONCE = 64
"""Handshakes under way; below the shortest accept queue among the servers (100)."""
SOURCES = 16
"""Source addresses: one alone has 28,000 ports for connections to one server."""
WAIT_SECONDS = 60.0
LINGER_NOT = struct.pack("ii", 1, 0)

OnRead = Callable[[int, int], None]
"""Called after each read with the number of messages and of bytes; the bytes are at the front of `Load.buffer`."""


class LoadError(Exception):
    """The server did something a measurement cannot stand: closed, refused, lost or never answered."""


class Connection:
    """One client's socket."""

    __slots__ = ("_load", "counter", "fd", "on_read", "opened", "received", "socket", "speech")

    def __init__(self, load: "Load", port: int, request: bytes, source: int, speech: Speech) -> None:
        self._load = load
        self.socket = socket.socket()
        self.socket.setsockopt(socket.IPPROTO_IP, getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24), 1)
        self.socket.bind((f"127.0.0.{2 + source % SOURCES}", 0))
        self.socket.settimeout(WAIT_SECONDS)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(request)
        self.socket.setblocking(False)
        self.fd = self.socket.fileno()
        self.speech = speech
        self.counter = PackedCounter(speech.unit) if speech.unit else Counter()
        self.received = 0
        """Messages so far."""
        self.opened = False
        self.on_read: OnRead | None = None

    def send(self, frames: bytes) -> None:
        """Write ready-made frames; raises LoadError if the server has not read for so long that they do not fit."""
        try:
            self.socket.sendall(frames)
        except OSError as error:
            raise LoadError(f"cannot send: {error}") from error

    def close(self) -> None:
        """Hang up at once, and leave no port waiting."""
        self._load.forget(self)
        with suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self.socket.close()


class Load:
    """All connections of a measurement. `turn` does what is to be done; everything else calls it."""

    def __init__(self) -> None:
        self.buffer = bytearray(READ_BYTES)
        self._epoll = select.epoll()
        self._connections: dict[int, Connection] = {}
        self._opening = 0
        """Handshakes under way."""
        self.frames = 0
        """Messages read from all connections."""
        self.reads = 0
        """Calls of recv that brought one or more."""
        self.every_tenth_of_a_second: Callable[[], None] | None = None
        """Called from `turn`, while it is set."""
        self._next_tenth = 0.0

    def __enter__(self) -> Self:
        gc.collect()
        gc.freeze()
        gc.disable()  # a collection in the middle of a measurement is a pause that no server caused
        return self

    def __exit__(self, *_: object) -> None:
        self.close(list(self._connections.values()))
        self._epoll.close()
        gc.enable()

    def turn(self, timeout: float = 0.1) -> None:
        """Wait up to `timeout` seconds for something to read, and read it: once from each connection that has it."""
        connections = self._connections
        for fd, _ in self._epoll.poll(timeout, 1024):
            connection = connections.get(fd)
            if connection is not None:
                self._read(connection)
        if self.every_tenth_of_a_second is not None and time.perf_counter() >= self._next_tenth:
            self._next_tenth = time.perf_counter() + 0.1
            self.every_tenth_of_a_second()

    def _read(self, connection: Connection) -> None:
        size = self._receive(connection)
        if not size:
            return
        counter, buffer = connection.counter, self.buffer
        # The usual read brings one short frame whole; all others are the counter's.
        if buffer[1] == 126 and (buffer[2] << 8 | buffer[3]) == size - 4 and buffer[0] == TEXT and counter.between:
            count = 1
        else:
            count = counter.feed(buffer, size)
        if count:
            connection.received += count
            self.frames += count
            self.reads += 1
        if counter.control:
            self._control(connection)
        if connection.on_read is not None:
            connection.on_read(count, size)

    def _receive(self, connection: Connection) -> int:
        """Read once into the buffer; returns how many bytes of frames came."""
        try:
            size = connection.socket.recv_into(self.buffer)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise LoadError(f"connection lost: {error}") from error
        if not size:
            raise LoadError("the server hung up")
        return size if connection.opened else self._answered(connection, size)

    def _answered(self, connection: Connection, size: int) -> int:
        """Check the answer to a handshake; returns how many bytes of frames came behind it, moved to the front."""
        head, found, rest = bytes(self.buffer[:size]).partition(b"\r\n\r\n")
        if not found or not head.startswith(b"HTTP/1.1 101"):
            raise LoadError(f"handshake refused: {head[:200]!r}")
        connection.opened = True
        self._opening -= 1
        if connection.speech.greeting:
            connection.send(connection.speech.greeting)
        self.buffer[: len(rest)] = rest
        return len(rest)

    def _control(self, connection: Connection) -> None:
        for opcode, payload in connection.counter.control:
            if opcode == CLOSE:
                raise LoadError(f"closed by the server: {int.from_bytes(payload[:2])} {payload[2:].decode()}")
            if opcode == PING:
                connection.send(client_frame(payload, PONG))
        connection.counter.control.clear()

    def open(
        self,
        port: int,
        path: str,
        headers: Sequence[str],
        on_read: OnRead | None = None,
        speech: Speech = PLAIN,
    ) -> list[Connection]:
        """Open one connection for each of `headers` (more lines of its request), OPENING_AT_ONCE at a time."""
        opened: list[Connection] = []
        for index, lines in enumerate(headers):
            connection = Connection(self, port, handshake(f"127.0.0.1:{port}", path, lines), index, speech)
            connection.on_read = on_read
            self._epoll.register(connection.fd, select.EPOLLIN)
            self._connections[connection.fd] = connection
            self._opening += 1
            opened.append(connection)
            if self._opening >= OPENING_AT_ONCE:
                self.wait_until(lambda: self._opening < OPENING_AT_ONCE, "a handshake is answered")
        self.wait_until(lambda: not self._opening, "all handshakes are answered")
        return opened

    def forget(self, connection: Connection) -> None:
        """No longer read from a connection."""
        if self._connections.pop(connection.fd, None) is not None:
            self._epoll.unregister(connection.fd)

    def close(self, connections: Sequence[Connection]) -> None:
        """Hang up."""
        for connection in connections:
            connection.close()

    def run(self, seconds: float) -> None:
        """Read for so long."""
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            self.turn(left)

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Read until `condition`; raises LoadError after WAIT_SECONDS."""
        deadline = time.perf_counter() + WAIT_SECONDS
        while not condition():
            self.turn()
            if time.perf_counter() > deadline:
                raise LoadError(f"waited {WAIT_SECONDS:g} s in vain until {what}")

    def wait_quiet(self, seconds: float = 0.3) -> None:
        """Read until no message has come for so long."""
        deadline = time.perf_counter() + WAIT_SECONDS
        frames = -1
        while frames != self.frames:
            frames = self.frames
            self.run(seconds)
            if time.perf_counter() > deadline:
                raise LoadError("the server does not come to rest")
