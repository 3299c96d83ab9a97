"""What a connection begins with: a WebSocket at once, or HTTP."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import Mock

import pytest
import uvicorn
from uvicorn.server import ServerState

from realtime.server import first
from realtime.server.connection import ChorusProtocol
from realtime.server.first import FirstProtocol
from realtime.server.http import HttpProtocol
from realtime.testing import until
from tests.servers.raw import HANDSHAKE

SHAKE = HANDSHAKE.format(path="/", host="testserver").encode()
PAGE = b"GET / HTTP/1.1\r\nHost: testserver\r\n\r\n"


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Accepts sockets and stays; answers requests."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


class Site:
    """A server, and the protocols that its connections have."""

    def __init__(self) -> None:
        self.state = ServerState()
        self.config = uvicorn.Config(
            application, lifespan="off", log_config=None, ws="realtime.server:ChorusProtocol", server_header=False
        )
        self.config.load()
        self.port = 0
        self.clients: list[asyncio.StreamWriter] = []

    def make(self) -> FirstProtocol:
        return FirstProtocol(self.config, self.state, {})

    @property
    def kinds(self) -> set[type]:
        """Of the connections that are told when the server stops."""
        return {type(each) for each in self.state.connections}

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.clients.append(writer)
        await until(lambda: bool(self.state.connections))
        return reader, writer


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    server = await asyncio.get_running_loop().create_server(made.make, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    for client in made.clients:
        client.close()
    await until(lambda: not made.state.connections)
    server.close()
    await asyncio.gather(*made.state.tasks, return_exceptions=True)


async def test_a_handshake_makes_a_websocket_and_nothing_of_http(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first, "HttpProtocol", None)
    reader, writer = await site.connect()
    writer.write(SHAKE)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    assert site.kinds == {ChorusProtocol}


async def test_what_came_behind_the_handshake_is_read_too(site: Site) -> None:
    reader, writer = await site.connect()
    writer.write(SHAKE + b"\x89\x80\0\0\0\0")
    await reader.readuntil(b"\r\n\r\n")
    assert await reader.readexactly(2) == b"\x8a\0"


async def test_a_handshake_in_pieces_makes_one_too(site: Site) -> None:
    reader, writer = await site.connect()
    writer.write(SHAKE[:40])
    await until(lambda: site.kinds == {HttpProtocol})
    writer.write(SHAKE[40:])
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    assert site.kinds == {ChorusProtocol}


async def test_a_request_of_a_page_is_answered(site: Site) -> None:
    reader, writer = await site.connect()
    writer.write(PAGE)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204 ")
    assert site.kinds == {HttpProtocol}


async def test_a_wrong_handshake_is_refused_in_words(site: Site) -> None:
    reader, writer = await site.connect()
    writer.write(SHAKE.replace(b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 12"))
    assert (await reader.read()).startswith(b"HTTP/1.1 426 ")


async def test_who_says_nothing_is_hung_up_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first, "conf", Mock(head_timeout=0.1))
    reader, _ = await site.connect()
    assert await asyncio.wait_for(reader.read(), 5) == b""
    assert not site.state.connections


async def test_a_server_that_stops_hangs_up_on_who_said_nothing(site: Site) -> None:
    reader, _ = await site.connect()
    [connection] = site.state.connections
    connection.shutdown()
    assert await asyncio.wait_for(reader.read(), 5) == b""


async def test_who_went_without_a_word_is_forgotten(site: Site) -> None:
    _, writer = await site.connect()
    writer.close()
    await until(lambda: not site.state.connections)


async def test_both_ends_addresses_are_in_the_scope(site: Site) -> None:
    protocols: list[Any] = []

    async def note(scope: Any, receive: Any, send: Any) -> None:
        protocols.append(scope)

    site.config.loaded_app = note
    reader, writer = await site.connect()
    writer.write(SHAKE)
    await reader.read()
    [scope] = protocols
    assert scope["client"] == writer.get_extra_info("sockname")
    assert scope["server"] == ("127.0.0.1", site.port)
