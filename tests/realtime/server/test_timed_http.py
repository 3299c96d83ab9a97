"""Who sends or reads half of something holds nothing for long; who is only slow is served."""

import asyncio
import logging
import time
from typing import Any

import pytest
from pytest_django import Settings

from realtime.server import timed_http
from realtime.server.wheel import TICK_SECONDS
from realtime.testing import until
from tests.realtime.server.web import CHUNKED, GET, POST, Client, Message, answer, at_once, dialled, serving
from tests.servers.raw import HANDSHAKE

WEBSOCKET = HANDSHAKE.format(path="/", host="testserver").encode()


PATIENCE = 0.5
"""Seconds."""


@pytest.fixture
def hurried(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Little patience: whole requests within half a second, progress looked at as often."""
    settings.CHORUS_HEAD_TIMEOUT = PATIENCE
    monkeypatch.setattr(timed_http, "LINGERING_SECONDS", 0.1)


# Time.

UNFINISHED = {
    "nothing": (b"", b""),
    "empty lines": (b"\r\n\r\n", b""),
    "half a request line": (b"GET / HT", b"HTTP/1.1 408 "),
    "half the headers": (b"GET / HTTP/1.1\r\nHost: tests", b"HTTP/1.1 408 "),
    "half a handshake": (WEBSOCKET[:-10], b"HTTP/1.1 408 "),
    "half a body": (POST + b"half", b"HTTP/1.1 408 "),
    "half a chunk": (CHUNKED + b"a\r\nhalf", b"HTTP/1.1 408 "),
    "an empty line, then half a line": (b"\r\nGE", b"HTTP/1.1 408 "),
    "another request's half": (GET % 1 + b"GET / HT", b"HTTP/1.1 200 "),
}


@pytest.mark.parametrize(("sent", "told"), UNFINISHED.values(), ids=UNFINISHED)
@pytest.mark.usefixtures("hurried")
async def test_what_does_not_come_to_its_end_is_closed_in_time(sent: bytes, told: bytes) -> None:
    async with serving() as site, dialled(site) as client:
        client.send(sent)
        assert (await client.rest()).startswith(told)
        await until(lambda: not site.state.connections)


@pytest.mark.usefixtures("hurried")
async def test_a_head_in_drops_is_closed_in_time_too() -> None:
    async with serving() as site, dialled(site) as client:
        dripping = asyncio.create_task(drip(client, b"GET / HTTP/1.1\r\nX: " + b"x" * 1000, 0.02))
        assert (await client.rest()).startswith(b"HTTP/1.1 408 ")
        dripping.cancel()


async def drip(client: Client, data: bytes, seconds: float) -> None:
    """Send byte by byte."""
    for byte in data:
        client.send(bytes((byte,)))
        await asyncio.sleep(seconds)


@pytest.mark.usefixtures("hurried")
async def test_the_time_for_a_head_begins_with_the_connection() -> None:
    async with serving() as site, dialled(site) as client:
        await asyncio.sleep(0.4)
        client.send(b"GET / HT")
        began = time.monotonic()
        assert (await client.rest()).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began < 0.1 + 2 * TICK_SECONDS + 0.2


@pytest.mark.usefixtures("hurried")
async def test_a_body_that_comes_at_the_least_rate_may_take_its_time(settings: Settings) -> None:
    settings.CHORUS_LEAST_RATE = 20
    async with serving() as site, dialled(site) as client:
        client.send(POST.replace(b"10", b"60"))
        await drip(client, b"x" * 60, 0.025)
        assert await client.response() == (200, b"/ " + b"x" * 60)


@pytest.mark.usefixtures("hurried")
async def test_a_head_that_came_late_leaves_its_body_the_whole_time() -> None:
    async with serving() as site, dialled(site) as client:
        client.send(POST[:-2])
        await asyncio.sleep(0.4)
        client.send(POST[-2:] + b"half,")
        await asyncio.sleep(0.3)
        client.send(b"whole")
        assert await client.response() == (200, b"/ half,whole")


@pytest.mark.parametrize("sent", [b"", b"\r\n"])
@pytest.mark.parametrize("request_", [GET % 1, POST + b"0123456789"])
async def test_a_connection_without_a_request_is_closed(sent: bytes, request_: bytes) -> None:
    async with serving(timeout_keep_alive=0.3) as site, dialled(site) as client:
        client.send(request_)
        assert (await client.response())[0] == 200
        dripping = asyncio.create_task(drip(client, sent * 50, 0.02))
        assert await client.rest() == b""
        dripping.cancel()


async def test_a_connection_whose_answer_did_not_wait_for_the_body_is_closed_too() -> None:
    async with serving(at_once, timeout_keep_alive=0.3) as site, dialled(site) as client:
        client.send(POST)
        assert await client.response() == (200, b"ok")
        client.send(b"0123456789")
        assert await client.rest() == b""


async def test_a_connection_that_asks_again_in_time_stays() -> None:
    async with serving(timeout_keep_alive=0.6) as site, dialled(site) as client:
        for number in range(4):
            client.send(GET % number)
            assert await client.response() == (200, b"/%d " % number)
            await asyncio.sleep(0.3)


# Reading of answers.


def big(size: int) -> Any:
    """An application whose answer is that long."""

    async def app(scope: Message, receive: Any, send: Any) -> None:
        await answer(send, b"x" * size)

    return app


@pytest.mark.usefixtures("hurried")
async def test_an_answer_that_nobody_reads_is_given_up() -> None:
    async with serving(big(20_000_000)) as site, dialled(site, receive_buffer=4096) as client:
        client.send(GET % 1)
        await until(lambda: site.protocols and site.protocols[0].transport.get_write_buffer_size())
        await until(lambda: not site.state.connections)


@pytest.mark.usefixtures("hurried")
async def test_an_answer_that_is_read_slowly_is_read_to_its_end() -> None:
    size = 400_000
    async with serving(big(size)) as site, dialled(site, receive_buffer=4096) as client:
        client.send(GET % 1)
        read = 0
        started = time.monotonic()
        while read < size:
            data = await client.reader.read(8000)
            assert data, f"closed after {read} bytes"
            read += len(data)
            await asyncio.sleep(0.04)
        assert time.monotonic() - started > 3 * PATIENCE


@pytest.mark.usefixtures("hurried")
async def test_a_stream_may_be_silent_for_long() -> None:
    over = asyncio.Event()

    async def stream(scope: Message, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await over.wait()
        await send({"type": "http.response.body", "body": b"b"})

    async with serving(stream) as site, dialled(site) as client:
        client.send(GET % 1)
        await asyncio.sleep(4 * PATIENCE)
        over.set()
        assert await client.response() == (200, b"ab")


async def test_requests_behind_an_answer_that_nobody_reads_are_over_with_it(caplog: pytest.LogCaptureFixture) -> None:
    over: list[str] = []

    async def app(scope: Message, receive: Any, send: Any) -> None:
        await answer(send, b"x" * 20_000_000)
        over.append(scope["path"])

    async with serving(app) as site, dialled(site, receive_buffer=4096) as client:
        client.send(b"".join(GET % number for number in range(3)))
        await until(lambda: over == ["/0"])
        site.protocols[0].transport.abort()
        await until(lambda: not site.state.tasks)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_who_was_refused_and_goes_on_sending_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timed_http, "LINGERING_SECONDS", 60)
    async with serving() as site, dialled(site) as client:
        client.send(b"nonsense\r\n\r\n")
        assert (await client.response())[0] == 400
        assert site.state.connections
        client.send(b"x" * 2 * timed_http.LINGERING_BYTES)
        await until(lambda: not site.state.connections)
