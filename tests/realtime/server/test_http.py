"""HTTP with deadlines and bounds: who sends or reads half of something holds nothing for long."""

import asyncio
from typing import Any

import pytest

from realtime.server import http
from realtime.server.handshake import MAX_BYTES, MAX_HEADERS
from realtime.testing import until
from tests.realtime.server.web import CHUNKED, GET, POST, Message, answer, at_once, dialled, read_body, serving
from tests.servers.raw import HANDSHAKE, TEXT, frame

WEBSOCKET = HANDSHAKE.format(path="/", host="testserver").encode()


# Size and number.


def with_headers(count: int, value: bytes = b"1") -> bytes:
    return (
        b"GET / HTTP/1.1\r\nHost: testserver\r\n"
        + b"".join(b"X-%d: %s\r\n" % (n, value) for n in range(count - 1))
        + b"\r\n"
    )


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(with_headers(MAX_HEADERS), 200, id="as many headers as may be"),
        pytest.param(with_headers(131, b"y" * 128), 200, id="behind single sign-on"),
        pytest.param(with_headers(MAX_HEADERS + 1), 431, id="too many"),
        pytest.param(with_headers(17, b"y" * 4096), 431, id="too long together"),
        pytest.param(b"GET / HTTP/1.1\r\nX: " + b"y" * MAX_BYTES, 431, id="one that does not end"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"x" * MAX_BYTES, 431, id="a name that does not end"),
        pytest.param(b"GET /" + b"x" * MAX_BYTES, 414, id="an address that does not end"),
        pytest.param(b"GET /" + b"x" * MAX_BYTES + b" HTTP/1.1\r\n\r\n", 414, id="a long address"),
        pytest.param(CHUNKED + b"0\r\n" + b"X-Trailer: 1\r\n" * 10_000, 431, id="endless trailers"),
        pytest.param(b"\r\n" * MAX_BYTES, 431, id="endless empty lines"),
    ],
)
async def test_a_head_is_bounded(sent: bytes, status: int) -> None:
    async with serving() as site, dialled(site) as client:
        for at in range(0, len(sent), 10_000):
            client.send(sent[at : at + 10_000])
            await asyncio.sleep(0)
        client.send(b"y" * 100)
        assert (await client.response())[0] == status


async def test_too_many_requests_at_once_are_refused() -> None:
    over = asyncio.Event()

    async def app(scope: Message, receive: Any, send: Any) -> None:
        await over.wait()
        await answer(send)

    async with serving(app) as site, dialled(site) as client:
        client.send(b"".join(GET % number for number in range(http.PIPELINED + 10)))
        await until(lambda: site.scopes)
        over.set()
        assert (await client.rest()).count(b"HTTP/1.1 200 ") == 1 + http.PIPELINED


# What must not be mixed up.


async def test_requests_behind_one_another_are_answered_in_order() -> None:
    async with serving() as site, dialled(site) as client:
        client.send(b"".join(GET % number for number in range(5)) + POST + b"0123456789")
        bodies = [(await client.response())[1] for _ in range(6)]
        assert bodies == [*(b"/%d " % number for number in range(5)), b"/ 0123456789"]


async def test_trailers_are_no_headers() -> None:
    async with serving() as site, dialled(site) as client:
        client.send(CHUNKED + b"2\r\nhi\r\n0\r\nX-Forwarded-For: 10.0.0.1\r\nAuthorization: a\r\n\r\n")
        assert await client.response() == (200, b"/ hi")
        assert [name for name, _ in site.scopes[0]["headers"]] == [b"host", b"transfer-encoding"]


async def half(scope: Message, receive: Any, send: Any) -> None:
    """Begin an answer of ten bytes, and give its end when the client has hung up or sent more."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
    await send({"type": "http.response.body", "body": b"01234", "more_body": True})
    await asyncio.sleep(0.2)
    await send({"type": "http.response.body", "body": b"56789"})


@pytest.mark.parametrize(
    "sent", [b"nonsense\r\n\r\n", b"GET /2 HTTP/1.1\r\n\x00", WEBSOCKET], ids=["nonsense", "a header", "a handshake"]
)
@pytest.mark.parametrize("between", [b"", GET % 2], ids=["next", "behind another"])
async def test_nothing_is_said_in_the_middle_of_another_answer(sent: bytes, between: bytes) -> None:
    async with serving(half) as site, dialled(site) as client:
        client.send(GET % 1)
        await client.reader.readuntil(b"\r\n\r\n")
        client.send(between + sent)
        said = await client.rest()
        answers = 1 + bool(between)
        assert said.startswith(b"0123456789")
        assert said.count(b"0123456789") == answers
        assert said.count(b"HTTP/1.1 200 ") == said.count(b"HTTP/1.1 ") == answers - 1


async def test_what_was_asked_to_continue_is_told_so() -> None:
    async with serving() as site, dialled(site) as client:
        client.send(POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        assert (await client.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        client.send(b"0123456789")
        assert await client.response() == (200, b"/ 0123456789")


SMUGGLED = {
    "two lengths": b"Content-Length: 3\r\nContent-Length: 4\r\n",
    "a length and chunks": b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
    "a signed length": b"Content-Length: +3\r\n",
    "chunks within something": b"Transfer-Encoding: chunked, identity\r\n",
    "something like chunks": b"Transfer-Encoding: xchunked\r\n",
    "a blank before the colon": b"Content-Length : 3\r\n",
    "a folded line": b"X: a\r\n b\r\n",
    "a line feed alone": b"X: a\nY: b\r\n",
}


@pytest.mark.parametrize("headers", SMUGGLED.values(), ids=SMUGGLED)
async def test_what_can_be_read_in_two_ways_is_refused(headers: bytes) -> None:
    async with serving(at_once) as site, dialled(site) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: testserver\r\n" + headers + b"\r\nabc" + GET % 1)
        assert (await client.rest()).count(b"HTTP/1.1 200 ") <= ("xchunked" in headers.decode())
        assert len(site.scopes) <= 1


# Upgrades.


@pytest.mark.parametrize("before", [b"", GET % 1], ids=["first", "after a request"])
@pytest.mark.parametrize("cut", [0, 50, len(WEBSOCKET) - 1], ids=["whole", "cut", "cut late"])
async def test_frames_behind_a_handshake_are_not_lost(before: bytes, cut: int) -> None:
    async with serving() as site, dialled(site) as client:
        if before:
            client.send(before)
            await client.response()
        client.send(WEBSOCKET[:cut])
        await asyncio.sleep(0.02)
        client.send(WEBSOCKET[cut:] + frame(TEXT, b"hi"))
        assert (await client.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        assert await client.reader.readexactly(4) == b"\x81\x02hi"


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [(b"HTTP/1.1", b"HTTP/1.0", 505), (b"HTTP/1.1", b"HTTP/2.0", 505), (b"GET", b"POST", 405), (b"13", b"8", 426)],
)
async def test_a_wrong_handshake_is_refused_on_either_way(old: bytes, new: bytes, status: int) -> None:
    async with serving() as site, dialled(site) as client:
        client.send(WEBSOCKET.replace(old, new, 1))
        assert (await client.response())[0] == status
        assert site.scopes == []


async def test_an_upgrade_to_something_else_is_a_request_like_any_other(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as site, dialled(site) as client:
        offer = b"\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n"
        client.send((GET % 1).replace(b"\r\n\r\n", offer) + GET % 2)
        assert [await client.response() for _ in range(2)] == [(200, b"/1 "), (200, b"/2 ")]
        client.send(GET % 3)
        assert await client.response() == (200, b"/3 ")
    assert caplog.records == []


# Turns.


async def test_who_sends_much_at_once_gives_others_their_turn() -> None:
    async with serving(at_once) as site, dialled(site) as client:
        client.send(CHUNKED)
        await client.response()
        protocol = site.protocols[0]
        protocol.data_received(b"1\r\na\r\n" * http.TURN_BYTES)
        assert not protocol.transport.is_reading()
        await asyncio.sleep(0)
        assert protocol.transport.is_reading()


async def test_a_body_that_is_not_taken_is_not_read_on() -> None:
    async def app(scope: Message, receive: Any, send: Any) -> None:
        await over.wait()
        await answer(send, b"%d" % len(await read_body(receive)))

    over = asyncio.Event()
    async with serving(app) as site, dialled(site) as client:
        client.send(POST.replace(b"10", b"1000000") + b"x" * 1_000_000)
        await until(lambda: site.scopes and not site.protocols[0].transport.is_reading())
        await asyncio.sleep(0.05)
        assert not site.protocols[0].transport.is_reading()
        over.set()
        assert await client.response() == (200, b"1000000")
