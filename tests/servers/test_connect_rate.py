"""How often one network may connect to a real server, as its clients see it."""

import asyncio
from collections.abc import Iterator

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.processes import Server, serve
from tests.servers.test_origins import PRODUCTION


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server to which a network connects three times at once, and then once in half a second."""
    limits = {"CHORUS_CONNECT_BURST": "3", "CHORUS_CONNECT_RATE": "2", "CHORUS_CONNECTIONS_PER_ADDRESS": "3"}
    with serve({**PRODUCTION, **limits}) as running:
        yield running


async def test_who_connects_too_often_is_told_when_to_come_back_and_gets_in_then(server: Server) -> None:
    address = f"{server.ws}/ws/echo/"
    for _ in range(3):
        async with connect(address):
            pass
    with pytest.raises(InvalidStatus) as refused:
        async with connect(address):
            pass
    response = refused.value.response
    assert (response.status_code, response.headers["Retry-After"]) == (429, "1")
    await asyncio.sleep(1)  # as it was told
    async with connect(address) as socket:
        await socket.send("Hello")
        assert await socket.recv() == "Hello"
