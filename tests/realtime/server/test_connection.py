"""Our WebSocket protocol on a real connection: what it adds to Uvicorn's, and what it mends."""

import asyncio
import logging

import pytest

from realtime.hub.outbox import DirectOutbox, Frame
from tests.realtime.server.wire import SECONDS, Connection, Send, close_frame, connected, stay
from tests.servers.raw import CLOSE, CONT, PING, TEXT, frame

# What comes in.


async def test_a_message_in_fragments_arrives_whole() -> None:
    async with connected() as connection:
        await connection.shake_hands()
        connection.writer.write(frame(TEXT, "ü".encode()[:1], fin=False) + frame(PING) + frame(CONT, "ü".encode()[1:]))
        await connection.until_received(2)
        assert connection.received[1] == {"type": "websocket.receive", "text": "ü"}


async def test_bad_utf_8_in_fragments_closes_with_1007() -> None:
    async with connected() as connection:
        await connection.shake_hands()
        connection.writer.write(frame(TEXT, b"h", fin=False) + frame(CONT, b"\xff"))
        assert await connection.frame() == close_frame(1007, b"invalid UTF-8")
        assert await connection.rest() == b""
        await connection.until_received(2)
        assert (connection.received[1]["type"], connection.received[1]["code"]) == ("websocket.disconnect", 1007)


async def test_what_comes_after_a_close_is_not_delivered() -> None:
    async with connected() as connection:
        await connection.shake_hands()
        connection.writer.write(frame(CLOSE, b"\x03\xe8") + frame(TEXT, b"too late"))
        await asyncio.wait_for(connection.lost.wait(), SECONDS)
        assert [message["type"] for message in connection.received[1:]] == ["websocket.disconnect"]


# What goes out.


async def test_ready_made_frames_go_between_the_application_s_own_in_order() -> None:
    async def app(connection: Connection, send: Send) -> None:
        await send({"type": "websocket.send", "text": "1"})
        connection.protocol.write(Frame("2").wire)
        await send({"type": "websocket.send", "text": "3"})
        await stay(connection, send)

    async with connected(app) as connection:
        await connection.shake_hands()
        assert [await connection.frame() for _ in range(3)] == [(TEXT, b"1"), (TEXT, b"2"), (TEXT, b"3")]


async def test_nothing_is_written_after_the_close_that_a_client_sent() -> None:
    async with connected() as connection:
        await connection.shake_hands()
        connection.writer.write(frame(CLOSE, b"\x03\xe8"))
        await connection.until_received(2)
        DirectOutbox(connection.protocol, lambda: None).push(Frame("too late"))
        assert await connection.frame() == close_frame(1000)
        assert await connection.rest() == b""


async def test_nothing_is_written_after_our_own_close() -> None:
    async def app(connection: Connection, send: Send) -> None:
        await send({"type": "websocket.close", "code": 4000, "reason": "slow reader"})
        DirectOutbox(connection.protocol, lambda: None).push(Frame("too late"))
        await stay(connection, send)

    async with connected(app) as connection:
        await connection.shake_hands()
        assert await connection.frame() == close_frame(4000, b"slow reader")
        connection.writer.write(frame(CLOSE, (4000).to_bytes(2)))
        assert await connection.rest() == b""


async def test_a_second_close_is_harmless() -> None:
    async def app(connection: Connection, send: Send) -> None:
        await send({"type": "websocket.close", "code": 1000})
        await send({"type": "websocket.close", "code": 1011})
        await stay(connection, send)

    async with connected(app) as connection:
        await connection.shake_hands()
        assert await connection.frame() == close_frame(1000)


async def test_an_application_that_returns_ends_the_connection() -> None:
    async def app(_connection: Connection, _send: Send) -> None: ...

    async with connected(app) as connection:
        await connection.shake_hands()
        assert await connection.rest() == b""


# The server stops.


async def test_others_are_closed_with_1012() -> None:
    async with connected() as connection:
        await connection.shake_hands()
        connection.protocol.shutdown()
        assert (await connection.frame())[1][:2] == (1012).to_bytes(2)


async def test_bad_input_is_not_our_failure(caplog: pytest.LogCaptureFixture) -> None:
    async with connected() as connection:
        await connection.shake_hands()
        connection.writer.write(frame(TEXT, b"\xff"))
        await connection.rest()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
