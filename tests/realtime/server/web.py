"""A server of HTTP within a test, whose application is a function, and what clients on bare sockets ask of it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from realtime.server.connection import ChorusProtocol
from realtime.server.first import FirstProtocol
from realtime.server.http import HttpProtocol

SECONDS = 5.0
GET = b"GET /%d HTTP/1.1\r\nHost: testserver\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: testserver\r\nContent-Length: 10\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: testserver\r\nTransfer-Encoding: chunked\r\n\r\n"
Message = dict[str, Any]
App = Callable[[Message, Any, Any], Awaitable[None]]


async def answer(send: Any, body: bytes = b"ok", status: int = 200) -> None:
    """Answer a request."""
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def read_body(receive: Any) -> bytes:
    """All of a request's body."""
    body = b""
    while True:
        message: Message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def echo(scope: Message, receive: Any, send: Any) -> None:
    """Answer with what was asked for and sent, after all of it has come; a WebSocket with its first text."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": (await receive())["text"]})
        await send({"type": "websocket.close"})
    else:
        await answer(send, scope["path"].encode() + b" " + await read_body(receive))


async def at_once(scope: Message, receive: Any, send: Any) -> None:
    """Answer without waiting for the body."""
    await answer(send)


class Site:
    """A server and what it was asked."""

    def __init__(self) -> None:
        self.scopes: list[Message] = []
        self.state = ServerState()
        self.address: Any = None

    @property
    def protocols(self) -> list[HttpProtocol]:
        """Those of connections that are there and speak HTTP."""
        found: list[Any] = list(self.state.connections)
        return [each for each in found if isinstance(each, HttpProtocol)]


@asynccontextmanager
async def serving(app: App = echo, ssl: Any = None, **options: Any) -> AsyncIterator[Site]:
    """A server with one application."""
    site = Site()

    async def application(scope: Message, receive: Any, send: Any) -> None:
        site.scopes.append(scope)
        await app(scope, receive, send)

    config = uvicorn.Config(application, lifespan="off", log_config=None, ws=ChorusProtocol, **options)
    config.load()

    def make() -> FirstProtocol:
        return FirstProtocol(config, site.state, {})

    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0, ssl=ssl)
    site.address = server.sockets[0].getsockname()
    try:
        yield site
    finally:
        server.close()
        for protocol in list(site.state.connections):
            protocol.transport.abort()
        for task in list(site.state.tasks):
            task.cancel()
        await asyncio.gather(*site.state.tasks, return_exceptions=True)


class Client:
    """A bare connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.writer.write(data)

    async def rest(self) -> bytes:
        """All bytes to the end of the connection, which has to come."""
        try:
            return await asyncio.wait_for(self.reader.read(), SECONDS)
        except ConnectionError:
            return b""

    async def response(self) -> tuple[int, bytes]:
        """Status and body of the next answer with a length."""
        async with asyncio.timeout(SECONDS):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            return int(head.split()[1]), await self.reader.readexactly(int(length or 0))


@asynccontextmanager
async def dialled(site: Site, *, receive_buffer: int = 0, ssl: Any = None) -> AsyncIterator[Client]:
    """A connection to it that has not said anything yet."""
    raw = socket.socket()
    if receive_buffer:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, site.address)
    name = "localhost" if ssl else None
    reader, writer = await asyncio.open_connection(sock=raw, limit=2**16, ssl=ssl, server_hostname=name)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()
