"""Our WebSocket protocol on a real connection: what it adds to Uvicorn's, and what it mends."""

import asyncio
import logging

import pytest

from realtime.hub.outbox import DirectOutbox, Frame
from realtime.server import closing
from realtime.server import connection as module
from realtime.server.connection import HIGH_WATER_BYTES
from realtime.testing import until
from tests.realtime.server.wire import SECONDS, Connection, Send, close_frame, connected, fill, idle, stay
from tests.servers.raw import CLOSE, CONT, PING, PONG, TEXT, frame

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


# Reading ahead.


def short(count: int) -> list[bytes]:
    return [frame(TEXT, str(number).encode()) for number in range(count)]


async def test_a_few_short_messages_are_read_ahead() -> None:
    async with connected(idle) as connection:
        await connection.shake_hands()
        connection.writer.write(b"".join(short(module.AHEAD - 1)))
        await until(lambda: len(connection.protocol._inbox or ()) == module.AHEAD - 1)
        assert connection.protocol.transport.is_reading()


async def test_many_short_messages_pause_reading() -> None:
    async with connected(idle) as connection:
        await connection.shake_hands()
        connection.writer.write(b"".join(short(module.AHEAD)))
        await until(lambda: not connection.protocol.transport.is_reading())
        connection.protocol.transport.abort()


async def test_one_long_message_pauses_reading() -> None:
    async with connected(idle) as connection:
        await connection.shake_hands()
        connection.writer.write(frame(TEXT, b"x" * (module.SHORT_BYTES + 1)))
        await until(lambda: not connection.protocol.transport.is_reading())
        connection.protocol.transport.abort()


async def test_all_that_was_read_ahead_arrives_in_order() -> None:
    async def app(connection: Connection, send: Send) -> None:
        await until(lambda: not connection.protocol.transport.is_reading())
        await stay(connection, send)

    async with connected(app) as connection:
        await connection.shake_hands()
        count = 5 * module.AHEAD
        for data in short(count):
            connection.writer.write(data)
            await asyncio.sleep(0)  # in many pieces, so that reading goes on between them
        await connection.until_received(1 + count)
        assert [message["text"] for message in connection.received[1:]] == [str(number) for number in range(count)]


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
