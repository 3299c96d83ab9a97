"""A connection whose both ends a test holds: the application's, and a client's on a bare socket."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from realtime.hub.outbox import Frame
from realtime.server.connection import ChorusProtocol
from realtime.testing import until
from tests.servers.raw import CLOSE, HANDSHAKE

SECONDS = 5.0
Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]


class Connection:
    """Both ends of one connection: the application's, and a client's on a bare socket."""

    def __init__(self) -> None:
        self.accepted = asyncio.Event()
        self.scope: Message = {}
        self.received: list[Message] = []
        self.head = b""
        """Of the answer to the handshake."""
        self.asked = asyncio.Event()
        self.tasks: set[asyncio.Task[None]]
        self.protocol: ChorusProtocol
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter
        self.lost = asyncio.Event()

    async def shake_hands(self, path: str = "/", extensions: str = "") -> int:
        """Ask for a WebSocket; gives the status of the answer."""
        request = HANDSHAKE.format(path=path, host="testserver")
        if extensions:
            request = request.replace("\r\n\r\n", f"\r\nSec-WebSocket-Extensions: {extensions}\r\n\r\n")
        self.writer.write(request.encode("utf-8"))
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), SECONDS)
        self.head = head
        if head.split()[1] == b"101":
            await asyncio.wait_for(self.accepted.wait(), SECONDS)
        return int(head.split()[1])

    async def frame(self) -> tuple[int, bytes]:
        """The next frame's opcode and payload."""
        async with asyncio.timeout(SECONDS):
            first, size = await self.reader.readexactly(2)
            if size > 125:
                size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8))
            return first & 15, await self.reader.readexactly(size)

    async def rest(self) -> bytes:
        """All bytes to the end of the connection."""
        return await asyncio.wait_for(self.reader.read(), SECONDS)

    async def until_received(self, count: int) -> None:
        """Wait until the application was given so many messages."""
        await until(lambda: len(self.received) >= count)


App = Callable[[Connection, Send], Awaitable[None]]


async def stay(connection: Connection, _send: Send) -> None:
    """An application that listens to the end."""
    while connection.received[-1]["type"] != "websocket.disconnect":
        connection.received.append(dict(await connection.protocol.receive()))


async def idle(connection: Connection, _send: Send) -> None:
    """An application that takes no notice of anything."""
    await connection.lost.wait()


@asynccontextmanager
async def connected(
    app: App = stay, *, accepts: bool = True, receive_buffer: int = 0, **options: Any
) -> AsyncIterator[Connection]:
    """A server with one application, and a connection to it that has not said anything yet."""
    connection = Connection()

    async def application(scope: Message, receive: Any, send: Any) -> None:
        connection.scope = scope
        connection.received.append(await receive())
        if connection.received[-1]["type"] != "websocket.connect":
            return
        connection.asked.set()
        if accepts:
            await send({"type": "websocket.accept"})
        connection.accepted.set()
        await app(connection, send)

    class Protocol(ChorusProtocol):
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            connection.lost.set()

    options = {"ws_ping_interval": None, **options}
    config = uvicorn.Config(application, lifespan="off", log_config=None, ws="none", **options)
    config.load()
    state = ServerState()
    connection.tasks = state.tasks

    def make() -> ChorusProtocol:
        connection.protocol = Protocol(config, state, {})
        return connection.protocol

    loop = asyncio.get_running_loop()
    server = await loop.create_server(make, "127.0.0.1", 0)
    raw = socket.socket()
    if receive_buffer:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    raw.setblocking(False)
    await loop.sock_connect(raw, server.sockets[0].getsockname())
    connection.reader, connection.writer = await asyncio.open_connection(sock=raw, limit=2**16)
    try:
        yield connection
    finally:
        connection.writer.close()
        await asyncio.wait_for(connection.lost.wait(), SECONDS)
        server.close()
        await server.wait_closed()
        await asyncio.gather(*state.tasks, return_exceptions=True)


def close_frame(code: int, reason: bytes = b"") -> tuple[int, bytes]:
    return CLOSE, code.to_bytes(2) + reason


async def fill(connection: Connection) -> int:
    """Write until nothing more goes out; gives the bytes that the kernel took."""
    written, taken = 0, -1
    while written - connection.protocol.buffered() > taken and not connection.protocol.transport.is_closing():
        taken = written - connection.protocol.buffered()
        for _ in range(16):
            connection.protocol.write(Frame(b"x" * 65536).wire)
            written += len(Frame(b"x" * 65536).wire)
        await asyncio.sleep(0.05)
    return taken
