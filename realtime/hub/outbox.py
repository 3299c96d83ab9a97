"""What waits for one socket: bounded in bytes, in order. What a reader is too slow for is refused, or closes it.

Two ways to a socket: under our server a ready-made frame is written at once (`DirectOutbox`); under any
other server one task per socket awaits its `send` over a backlog (`QueuedOutbox`).
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from realtime.conf import conf
from realtime.scope import Send

TEXT, BINARY = 0x81, 0x82  # FIN and opcode, RFC 6455 §5.2


class Frame:
    """One message, encoded once for all the sockets it goes to."""

    __slots__ = ("data", "wire")
    count = 1

    def __init__(self, data: str | bytes) -> None:
        self.data = data
        payload, opcode = (data.encode(), TEXT) if isinstance(data, str) else (data, BINARY)
        size = len(payload)
        if size < 126:
            header = bytes((opcode, size))
        elif size < 65536:
            header = bytes((opcode, 126)) + size.to_bytes(2)
        else:
            header = bytes((opcode, 127)) + size.to_bytes(8)
        self.wire = header + payload
        """The unmasked frame as a server sends it (RFC 6455 §5.2), without extensions."""

    @property
    def frames(self) -> "tuple[Frame, ...]":
        """This frame alone; see Burst."""
        return (self,)


class Burst:
    """Frames that go to many sockets together: one write for each socket, still a frame for each message."""

    __slots__ = ("count", "frames", "wire")

    def __init__(self, frames: Sequence[Frame]) -> None:
        self.frames = tuple(frames)
        self.count = len(self.frames)
        self.wire = b"".join([frame.wire for frame in frames])


class Connection(Protocol):
    """What our server offers in `scope["extensions"]["chorus.connection"]`."""

    transport: asyncio.Transport
    ended: bool
    """Nothing may be written any more: a close was sent or received, or the connection is gone."""

    @property
    def is_writable(self) -> bool:
        """Whether the peer reads enough for more to be sent; else more than a few messages wait for it."""

    async def drain(self) -> None:
        """Wait until the peer has read enough for more; returns at once when the connection is lost."""

    def close(self, code: int, reason: str) -> None:
        """Close it: a close frame is the last thing that is sent."""

    def hand_over(self, handler: Any) -> None:
        """From now on what is received goes to a handler; see realtime.server.delivery.Handler."""


class Outbox(ABC):
    """The way to one socket. `on_overflow` is called once, when a reader is too slow."""

    __slots__ = ("_limit", "_on_overflow", "bytes", "messages")

    def __init__(self, on_overflow: Callable[[], None]) -> None:
        self._on_overflow: Callable[[], None] | None = on_overflow
        self._limit = conf.outbox_bytes or float("inf")
        self.messages = 0
        """How many were sent, and how many bytes they had; admin shows it."""
        self.bytes = 0

    @property
    @abstractmethod
    def unsent(self) -> int:
        """Bytes that were sent and have not left yet."""

    @abstractmethod
    def offer(self, frame: Frame | Burst) -> bool:
        """Send without waiting, unless more than the limit waits already: False."""

    def push(self, frame: Frame | Burst) -> None:
        """Send without waiting. Past the limit the frame is dropped with its socket."""
        if not self.offer(frame):
            self.overflow()

    async def send(self, frame: Frame) -> None:
        """Send, then wait until the socket has room: for replies and replays, which the reader paces."""
        wait = self.put(frame)
        if wait is not None:
            await wait

    @abstractmethod
    def put(self, frame: Frame) -> Awaitable[None] | None:
        """Send, and give what has to be awaited until the socket has room, if it has none."""

    @abstractmethod
    async def drain(self) -> None:
        """Wait until the socket has room, or is gone."""

    @abstractmethod
    async def finish(self) -> None:
        """Wait until all is handed to the server; what cannot be delivered any more is dropped."""

    @property
    @abstractmethod
    def gone(self) -> bool:
        """Nobody is left to read: what is sent now is dropped."""

    @property
    def overflowed(self) -> bool:
        """A frame was dropped. None may follow: its reader would never miss the one that is not there."""
        return self._on_overflow is None

    def overflow(self) -> None:
        """Give the reader up as too slow."""
        if self._on_overflow is not None:
            on_overflow, self._on_overflow = self._on_overflow, None
            on_overflow()


class DirectOutbox(Outbox):
    """Under our server: its transport's buffer is the backlog."""

    __slots__ = ("_connection", "_transport")

    def __init__(self, connection: Connection, on_overflow: Callable[[], None]) -> None:
        super().__init__(on_overflow)
        self._connection = connection
        self._transport = connection.transport

    @property
    def unsent(self) -> int:
        return self._transport.get_write_buffer_size()

    def offer(self, frame: Frame | Burst) -> bool:
        # This runs once for each delivery: nothing is called that need not be.
        connection = self._connection
        if not connection.is_writable and self._transport.get_write_buffer_size() > self._limit:
            return False
        if not (connection.ended or self._on_overflow is None):
            wire = frame.wire
            self.messages += frame.count
            self.bytes += len(wire)
            self._transport.write(wire)
        return True

    def put(self, frame: Frame) -> Awaitable[None] | None:
        connection = self._connection
        if connection.ended or self._on_overflow is None:
            return None
        self.messages += 1
        self.bytes += len(frame.wire)
        self._transport.write(frame.wire)
        return None if connection.is_writable else connection.drain()

    async def drain(self) -> None:
        await self._connection.drain()

    @property
    def gone(self) -> bool:
        return self._connection.ended

    async def finish(self) -> None:
        """Nothing to do: what is written precedes whatever the server writes next."""


class QueuedOutbox(Outbox):
    """Under any other server: a backlog, and one task that awaits the server's `send` while it lasts."""

    def __init__(self, send: Send, on_overflow: Callable[[], None]) -> None:
        super().__init__(on_overflow)
        self._server_send = send
        self._backlog: deque[Frame] = deque()
        self._bytes = 0
        self._task: asyncio.Task[None] | None = None
        self._failed = False

    @property
    def unsent(self) -> int:
        return self._bytes

    def offer(self, frame: Frame | Burst) -> bool:
        if self._bytes > self._limit:
            return False
        if self.overflowed:
            return True
        self.messages += frame.count
        self.bytes += len(frame.wire)
        self._backlog.extend(frame.frames)
        self._bytes += len(frame.wire)
        if self._task is None:
            self._task = asyncio.ensure_future(self._drain())
        return True

    def put(self, frame: Frame) -> Awaitable[None]:
        return self._put(frame)

    async def _put(self, frame: Frame) -> None:
        # Room is awaited first, so that a replay never overflows; a frame of any size fits an empty backlog.
        await self.finish()
        self.push(frame)
        await self.finish()

    async def drain(self) -> None:
        await self.finish()

    async def finish(self) -> None:
        if self._task is not None:
            await asyncio.wait({self._task})

    @property
    def gone(self) -> bool:
        return self._failed

    async def _drain(self) -> None:
        try:
            while self._backlog:
                data = self._backlog[0].data
                kind = "text" if isinstance(data, str) else "bytes"
                await self._server_send({"type": "websocket.send", kind: data})
                self._bytes -= len(self._backlog.popleft().wire)
        except Exception:  # noqa: BLE001 - a server may raise anything for a peer that is gone; receive() tells why
            self._backlog.clear()
            self._bytes = 0
            self._failed = True
        finally:
            self._task = None
