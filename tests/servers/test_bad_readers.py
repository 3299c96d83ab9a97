"""A client that does not read, does not answer or is gone costs the others nothing."""

import asyncio
import json
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection

import pytest
from websockets.asyncio.client import connect

from tests.processes import Server, serve
from tests.servers.clients import bearer, eventually, get, member
from tests.servers.raw import PONG, TEXT, frame, header, open_raw

SLOW_READER, KEEP_ALIVE = 4000, 1011
KIB_64 = b"x" * 64 * 1024


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that loses patience soon and does not count messages."""
    limits = {"CHORUS_OUTBOX_BYTES": "131072", "CHORUS_COMMAND_RATE": "0", "CHORUS_MAX_TEXT": "0"}
    with serve({**limits, "CHORUS_PING_INTERVAL": "0.5", "CHORUS_PING_TIMEOUT": "0.5"}) as running:
        yield running


def connections(server: Server) -> int:
    return int(json.loads(get(server, "/api/status").text)["connections"])


async def test_a_client_that_stops_reading_is_closed_with_4000_and_the_others_go_on(server: Server) -> None:
    address = f"{server.ws}/ws/broadcast/"
    async with connect(address) as one, connect(address) as two:
        with open_raw(server, "/ws/broadcast/", receive_buffer=4096):
            for _ in range(40):
                await one.send(KIB_64)
                assert [await one.recv(), await two.recv()] == [KIB_64, KIB_64]
            await eventually(lambda: f"code={SLOW_READER}" in server.log)
            assert connections(server) == 2
        await two.send("still here")
        assert [await one.recv(), await two.recv()] == ["still here", "still here"]


async def test_a_client_that_stops_reading_its_own_echoes_is_not_read_from_any_more(server: Server) -> None:
    with open_raw(server, "/ws/echo/", receive_buffer=4096) as client:
        client.send_until_stuck(frame(TEXT, b"y" * 9000))
        async with connect(f"{server.ws}/ws/echo/") as healthy:
            await healthy.send("still here")
            assert await healthy.recv() == "still here"


async def test_a_client_that_answers_no_pings_is_closed(server: Server) -> None:
    with open_raw(server, "/ws/echo/") as client:
        assert await asyncio.to_thread(client.close_code) == KEEP_ALIVE


async def test_pongs_to_something_else_do_not_count(server: Server) -> None:
    with open_raw(server, "/ws/echo/") as client:
        client.send(frame(PONG, b"none of yours") * 3)
        assert await asyncio.to_thread(client.close_code) == KEEP_ALIVE


def recipients(server: Server, topic: str) -> int:
    """Publish, and read how many sockets it went to."""
    with closing(HTTPConnection("127.0.0.1", server.port)) as connection:
        connection.request("POST", f"/api/notifications/{topic}/", body=b"Hi", headers=bearer("root"))
        return int(json.loads(connection.getresponse().read())["recipients"])


async def test_a_subscriber_that_went_silent_counts_until_its_answer_to_a_ping_is_overdue(server: Server) -> None:
    with open_raw(server, "/ws/notifications/") as silent:
        opened = time.monotonic()
        silent.send(frame(TEXT, b'{"action": "subscribe", "topics": ["silent"]}'))
        await eventually(lambda: recipients(server, "silent") == 1)
        await eventually(lambda: recipients(server, "silent") == 0)
        overdue = 0.5 + 0.5  # seconds: CHORUS_PING_INTERVAL and CHORUS_PING_TIMEOUT
        assert overdue - 0.1 < time.monotonic() - opened < overdue + 2


VANISHES = {
    "after the handshake": b"",
    "in the middle of a header": header(TEXT, 70_000)[:5],
    "in the middle of a message": header(TEXT, 1000) + b"half",
    "between two fragments": frame(TEXT, b"half", fin=False),
    "right after a message": frame(TEXT, b"and gone"),
}


@pytest.mark.parametrize("how", ["by reset", "by end of stream"])
async def test_clients_that_vanish_leave_the_room(server: Server, how: str) -> None:
    async with member(server, "alice", "vanishing") as alice:
        with ExitStack() as vanishing:
            for sent in VANISHES.values():
                client = vanishing.enter_context(open_raw(server, "/ws/chat/vanishing/"))
                await alice.next("system", event="join")
                client.send(sent)
                if how == "by reset":
                    client.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for _ in VANISHES:
            left = await alice.next("system", event="leave")
    assert left["users"]["count"] == 1
    came_and_went: dict[str, list[str]] = {"join": [], "leave": []}
    for event in alice.heard:
        if event["type"] == "system":
            came_and_went[event["event"]].append(event["message"].split()[0])
    assert sorted(came_and_went["join"]) == sorted(came_and_went["leave"])
