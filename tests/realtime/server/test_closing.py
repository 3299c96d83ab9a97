"""How a connection is kept alive and closed: in order, once, and in bounded time."""

# ruff: noqa: SLF001 - what waits within a connection shows nowhere else

import asyncio

import pytest

from realtime.server import closing
from realtime.server.connection import HIGH_WATER_BYTES
from realtime.testing import until
from tests.realtime.server.wire import SECONDS, Connection, Send, close_frame, connected, fill, idle
from tests.servers.raw import CLOSE, PING, PONG, TEXT, frame, header

# A reader that has stopped.


async def test_a_close_does_not_wait_for_a_reader_and_aborts_it_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "CLOSING_SECONDS", 0.2)

    async def app(connection: Connection, send: Send) -> None:
        await fill(connection)
        await asyncio.wait_for(send({"type": "websocket.close", "code": 4000}), 0.1)
        await idle(connection, send)

    async with connected(app, receive_buffer=4096) as connection:
        await connection.shake_hands()
        await asyncio.wait_for(connection.lost.wait(), 3)
        assert connection.protocol.ended


async def test_a_reader_that_stopped_is_aborted_when_its_application_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "CLOSING_SECONDS", 0.2)

    async def app(connection: Connection, _send: Send) -> None:
        await fill(connection)

    async with connected(app, receive_buffer=4096) as connection:
        await connection.shake_hands()
        await asyncio.wait_for(connection.lost.wait(), 3)


async def test_a_reader_that_stopped_after_its_own_close_is_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "CLOSING_SECONDS", 0.2)
    async with connected(idle, receive_buffer=4096) as connection:
        await connection.shake_hands()
        await fill(connection)
        connection.writer.write(frame(CLOSE, b"\x03\xe8"))
        await asyncio.wait_for(connection.lost.wait(), 3)


async def test_a_reader_that_sends_nonsense_and_stopped_is_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "CLOSING_SECONDS", 0.2)
    async with connected(idle, receive_buffer=4096) as connection:
        await connection.shake_hands()
        await fill(connection)
        connection.writer.write(frame(3, b"no such opcode"))
        await asyncio.wait_for(connection.lost.wait(), 3)


async def test_who_answers_no_ping_is_closed_with_1011_and_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "CLOSING_SECONDS", 0.2)
    async with connected(idle, receive_buffer=4096, ws_ping_interval=0.4, ws_ping_timeout=0.1) as connection:
        await connection.shake_hands()
        await fill(connection)
        await asyncio.wait_for(connection.lost.wait(), 3)
        assert connection.protocol.end[0] == 1011


async def test_drain_waits_for_the_reader() -> None:
    async with connected(receive_buffer=4096) as connection:
        await connection.shake_hands()
        await fill(connection)
        draining = asyncio.create_task(connection.protocol.drain())
        done, _ = await asyncio.wait({draining}, timeout=0.05)
        assert not done
        reading = asyncio.create_task(connection.reader.read())
        await draining
        reading.cancel()
        assert connection.protocol.buffered() <= HIGH_WATER_BYTES


async def test_drain_returns_when_the_connection_is_lost() -> None:
    async with connected(receive_buffer=4096) as connection:
        await connection.shake_hands()
        await fill(connection)
        draining = asyncio.create_task(connection.protocol.drain())
        connection.protocol.transport.abort()
        await asyncio.wait_for(draining, SECONDS)


# Pings.


async def test_a_ping_is_answered() -> None:
    async with connected(idle) as connection:
        await connection.shake_hands()
        connection.writer.write(frame(PING, b"there?"))
        assert await connection.frame() == (PONG, b"there?")
        connection.protocol.transport.abort()


async def test_who_answers_pings_is_asked_again() -> None:
    async with connected(ws_ping_interval=0.02, ws_ping_timeout=SECONDS) as connection:
        await connection.shake_hands()
        payloads = set()
        for _ in range(3):
            opcode, payload = await connection.frame()
            assert opcode == PING
            payloads.add(payload)
            connection.writer.write(frame(PONG, payload))
        assert len(payloads) == 3


async def test_who_reads_nothing_is_kept_one_pong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.server.reading.CONTROL_BURST", 10_000)
    async with connected(idle, receive_buffer=4096) as connection:
        await connection.shake_hands()
        await fill(connection)
        waiting = connection.protocol.buffered()
        connection.writer.write(b"".join(frame(PING, b"%125d" % each) for each in range(2000)))
        await until(lambda: connection.protocol._pong == b"%125d" % 1999)
        assert connection.protocol.buffered() <= waiting
        connection.protocol.transport.abort()


async def test_who_reads_again_gets_the_last_pong() -> None:
    async with connected(idle, receive_buffer=4096) as connection:
        await connection.shake_hands()
        await fill(connection)
        connection.writer.write(frame(PING, b"1") + frame(PING, b"2"))
        await until(lambda: connection.protocol._pong == b"2")
        pongs = [payload async for payload in pongs_of(connection)]
        assert pongs == [b"2"]
        connection.protocol.transport.abort()


async def pongs_of(connection: Connection):  # type: ignore[no-untyped-def]
    """The pongs that come until one has come."""
    while True:
        first, size = await connection.reader.readexactly(2)
        if size > 125:
            size = int.from_bytes(await connection.reader.readexactly(2 if size == 126 else 8))
        payload = await connection.reader.readexactly(size)
        if first & 15 == PONG:
            yield payload
            return


# The end.


async def test_a_close_that_had_come_while_reading_paused_is_seen() -> None:
    async def app(connection: Connection, send: Send) -> None:
        await until(lambda: connection.protocol._rest)
        await send({"type": "websocket.close", "code": 4000})
        await idle(connection, send)

    async with connected(app) as connection:
        await connection.shake_hands()
        connection.writer.write(frame(TEXT, b"x" * 5000) + frame(CLOSE, (1000).to_bytes(2)))
        assert await connection.frame() == close_frame(4000)
        assert await asyncio.wait_for(connection.reader.read(), 1) == b""


async def test_who_does_not_answer_a_close_is_aborted_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "CLOSING_SECONDS", 0.2)

    async def app(connection: Connection, send: Send) -> None:
        await send({"type": "websocket.close", "code": 4000})
        await idle(connection, send)

    async with connected(app) as connection:
        await connection.shake_hands()
        connection.writer.write(header(TEXT, 1000))
        await asyncio.wait_for(connection.lost.wait(), 3)
