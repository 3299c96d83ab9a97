"""Frames are taken in bounded turns, whatever is sent, however it is cut."""

# ruff: noqa: SLF001 - what waits within a connection shows nowhere else

import asyncio
import random
from typing import Any

import pytest

from realtime.server import reading
from realtime.testing import until
from tests.realtime.server.wire import Connection, Send, close_frame, connected, idle, stay
from tests.servers.raw import BINARY, CONT, PING, PONG, TEXT, frame, header

FRAMES = [
    (frame(TEXT, b"short"), "short"),
    (frame(BINARY, b"\x00\xff"), b"\x00\xff"),
    (frame(TEXT, b"x" * 126), "x" * 126),
    (frame(TEXT, b"y" * 70_000), "y" * 70_000),
    (frame(TEXT), ""),
    (frame(TEXT, b"a", fin=False) + frame(PING) + frame(CONT, fin=False) + frame(CONT, b"b"), "ab"),
]


def messages(connection: Connection) -> list[Any]:
    """What the application has received."""
    return [each.get("text", each.get("bytes")) for each in connection.received[1:]]


@pytest.mark.parametrize("seed", range(4))
async def test_it_does_not_matter_where_what_is_sent_is_cut(seed: int) -> None:
    random.seed(seed)
    sent = b"".join(wire for wire, _ in FRAMES) * 2
    async with connected() as connection:
        await connection.shake_hands()
        while sent:
            size = random.choice((1, 2, 3, 7, 100, 5000, 60_000))
            connection.protocol.data_received(sent[:size])
            sent = sent[size:]
            await until(lambda: not connection.protocol._held)
        await connection.until_received(1 + 2 * len(FRAMES))
        assert messages(connection) == [message for _, message in FRAMES] * 2


async def test_a_long_message_in_single_bytes_is_not_copied_for_each() -> None:
    size = 100_000
    async with connected(ws_max_size=size) as connection:
        await connection.shake_hands()
        loop = asyncio.get_running_loop()
        started = loop.time()
        for byte in frame(TEXT, b"z" * size):
            connection.protocol.data_received(bytes((byte,)))
        assert loop.time() - started < 2  # with a copy for each 5 GB would have been moved
        await connection.until_received(2)


# Turns.


async def test_others_have_their_turn_after_so_many_frames() -> None:
    async def app(connection: Connection, send: Send) -> None:
        connection.protocol.hand_over(Counter())
        await idle(connection, send)

    async with connected(app) as connection:
        await connection.shake_hands()
        handler = connection.protocol._handler
        assert isinstance(handler, Counter)
        connection.protocol.data_received(frame(TEXT) * 1000)
        assert handler.taken == reading.TURN_FRAMES
        await asyncio.sleep(0)
        assert handler.taken == 2 * reading.TURN_FRAMES
        await until(lambda: handler.taken == 1000)
        assert connection.protocol.transport.is_reading()


class Counter:
    """A handler that counts."""

    taken = 0

    def take(self, _message: str | bytes) -> None:
        """Count."""
        self.taken += 1

    def stop(self) -> None:
        """Nothing."""

    def ended(self, code: int, reason: str) -> None:
        """Nothing."""


# Control frames.


async def test_control_frames_have_a_rate_and_nobody_is_closed_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CONTROL_BURST", 5)
    async with connected() as connection:
        await connection.shake_hands()
        started = asyncio.get_running_loop().time()
        connection.writer.write(frame(PING, b"p") * 10 + frame(TEXT, b"behind them"))
        assert [await connection.frame() for _ in range(10)] == [(PONG, b"p")] * 10
        await connection.until_received(2)
        assert messages(connection) == ["behind them"]
        assert asyncio.get_running_loop().time() - started > 4 / reading.CONTROLS_PER_SECOND


async def test_pongs_that_nobody_asked_for_have_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CONTROL_BURST", 5)
    async with connected(idle) as connection:
        await connection.shake_hands()
        connection.writer.write(frame(PONG) * 1000)
        await until(lambda: not connection.protocol.transport.is_reading())
        connection.protocol.transport.abort()


# Fragments.


async def test_a_message_may_have_many_fragments_that_hold_something() -> None:
    piece = b"x" * reading.BYTES_PER_FRAGMENT
    many = reading.FREE_FRAGMENTS * 2
    async with connected() as connection:
        await connection.shake_hands()
        connection.writer.write(frame(TEXT, piece, fin=False) + frame(CONT, piece, fin=False) * many)
        connection.writer.write(frame(CONT, piece))
        await connection.until_received(2)
        assert messages(connection) == ["x" * len(piece) * (many + 2)]


async def test_a_message_in_endless_empty_fragments_is_refused() -> None:
    async with connected() as connection:
        await connection.shake_hands()
        connection.writer.write(frame(TEXT, fin=False) + frame(CONT, fin=False) * reading.FREE_FRAGMENTS)
        assert await connection.frame() == close_frame(1008, b"too many fragments")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (header(TEXT, 1001), 1009),
        (frame(TEXT, b"x" * 500, fin=False) + header(CONT, 501), 1009),
        (frame(TEXT, b"x" * 950, fin=False) + frame(CONT, b"x" * 51), 1009),
        (header(11, 0), 1002),
        (header(PING, 126), 1002),
        (header(TEXT, 900, masked=False), 1002),
        (header(TEXT, 900, rsv=4), 1002),
    ],
)
async def test_what_is_wrong_is_refused_before_its_payload_is_there(sent: bytes, code: int) -> None:
    async with connected(ws_max_size=1000) as connection:
        await connection.shake_hands()
        connection.writer.write(sent)
        assert (await connection.frame())[1][:2] == code.to_bytes(2)


async def test_nothing_is_kept_of_a_connection_that_ended() -> None:
    async with connected(stay, ws_max_size=1000) as connection:
        await connection.shake_hands()
        connection.writer.write(frame(TEXT, b"x" * 500, fin=False) + frame(3, b"wrong") + frame(TEXT, b"y" * 100))
        await connection.rest()
        assert (connection.protocol._rest, connection.protocol._fragments) == (b"", None)
