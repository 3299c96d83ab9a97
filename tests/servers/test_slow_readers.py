"""Who reads slowly for a moment loses nothing and stays; who goes on reading slowly is closed, and costs no memory."""

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest

from tests.processes import Server, serve
from tests.servers.clients import bearer, eventually, member
from tests.servers.raw import TEXT, RawClient, frame, open_raw

TEXTS = 400
"""Texts of 9,000 bytes, with which an outbox is full many times over."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A site that counts no messages, where little may wait."""
    with serve({"CHORUS_OUTBOX_BYTES": "131072", "CHORUS_COMMAND_RATE": "0"}) as running:
        yield running
        assert "Traceback" not in running.log


def said(client: RawClient, last: int) -> list[int]:
    """Read up to a position; returns the positions of messages, live and replayed, in the order in which they came."""
    seqs: list[int] = []
    for opcode, payload in client.frames():
        assert opcode == TEXT, payload
        event: dict[str, Any] = json.loads(payload)
        seqs += [each["seq"] for each in event.get("messages", [event]) if "seq" in each and "message" in each]
        if seqs and seqs[-1] >= last:
            break
    return seqs


async def flood(server: Server, room: str) -> int:
    """Say more than an outbox holds; returns the last position."""
    async with member(server, "alice", room) as alice:
        for number in range(TEXTS):
            await alice.send("send", text="x" * 9000, id=f"{room} {number}")
        await alice.until_seq(TEXTS)
    return TEXTS


async def test_a_room_s_reader_who_stops_for_seconds_misses_nothing_and_stays(server: Server) -> None:
    with open_raw(server, "/ws/chat/slow/", receive_buffer=4096) as client:
        last = await flood(server, "slow")
        await asyncio.sleep(3)  # it does not read: there is nothing to wait for
        assert await asyncio.to_thread(said, client, last) == list(range(1, last + 1))
        async with member(server, "bob", "slow") as bob:
            await bob.say("still here")
        assert await asyncio.to_thread(said, client, last + 1) == [last + 1]


async def test_a_subscriber_who_stops_for_seconds_misses_nothing_and_stays(server: Server) -> None:
    with open_raw(server, "/ws/notifications/", receive_buffer=4096) as client:
        client.send(frame(TEXT, b'{"action": "subscribe", "topics": ["slow"]}'))
        last = await asyncio.to_thread(publish_many, server)
        assert await asyncio.to_thread(said, client, last) == list(range(1, last + 1))


def publish_many(server: Server) -> int:
    """Publish more than an outbox holds; returns the last position."""
    with closing(HTTPConnection("127.0.0.1", server.port)) as connection:
        for _ in range(TEXTS):
            connection.request("POST", "/api/notifications/slow/", body=b"x" * 9000, headers=bearer("root"))
            answer = json.loads(connection.getresponse().read())
    return int(answer["seq"])


async def test_an_event_stream_s_reader_who_stops_for_seconds_misses_nothing(server: Server) -> None:
    with socket.socket() as narrow, closing(HTTPConnection("127.0.0.1", server.port)) as connection:
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        narrow.connect(("127.0.0.1", server.port))
        connection.sock = narrow
        connection.request("GET", "/api/notifications/slow/stream")
        stream = connection.getresponse()
        last = await asyncio.to_thread(publish_many, server)
        assert await asyncio.to_thread(told, stream, last) == list(range(last - TEXTS + 1, last + 1))


def told(stream: HTTPResponse, last: int) -> list[int]:
    """Read events up to a position; returns their positions."""
    seqs: list[int] = []
    while not seqs or seqs[-1] < last:
        name, _, data = stream.readline().partition(b": ")
        if name == b"data" and "message" in (event := json.loads(data)):
            seqs.append(event["seq"])
    return seqs


async def test_a_reader_who_never_reads_again_is_closed(server: Server) -> None:
    with open_raw(server, "/ws/chat/stopped/", receive_buffer=4096):
        await flood(server, "stopped")
        async with asyncio.timeout(25):
            await eventually(lambda: "code=4000" in server.log)
