"""What was received is given on in order, to an application or to a handler, and its end once, last."""

# ruff: noqa: SLF001 - what waits within a connection shows nowhere else

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from realtime.server import delivery as module
from realtime.testing import until
from tests.realtime.server.wire import SECONDS, Connection, Send, close_frame, connected, fill, idle, stay
from tests.servers.raw import CLOSE, TEXT, frame

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


# A handler.


class Taker:
    """A handler that writes down what it is told; `slow` waits for its gate, `fail` raises."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.gate = asyncio.Event()

    def take(self, message: str | bytes) -> Coroutine[Any, Any, object] | None:
        """Take a message."""
        self.told.append(message)
        if message == "fail":
            raise ValueError
        return self._wait(message) if message in {"slow", "fail slowly"} else None

    async def _wait(self, message: str | bytes) -> None:
        await self.gate.wait()
        if message == "fail slowly":
            raise ValueError
        self.told.append("done")

    def stop(self) -> Coroutine[Any, Any, object] | None:
        """Be told to stop."""
        self.told.append("stop")
        return None

    def ended(self, code: int, reason: str) -> None:
        """Be told of the end."""
        self.told.append((code, reason))

    @property
    def ends(self) -> list[Any]:
        """How often the end was told."""
        return [each for each in self.told if isinstance(each, tuple)]


@asynccontextmanager
async def handed_over(**options: Any) -> AsyncIterator[tuple[Connection, Taker]]:
    """A connection whose application has handed it over and returned."""
    taker = Taker()

    async def app(connection: Connection, _send: Send) -> None:
        connection.protocol.hand_over(taker)

    async with connected(app, **options) as connection:
        await connection.shake_hands()
        await until(lambda: not connection.tasks)
        yield connection, taker


async def say(connection: Connection, taker: Taker, *messages: str) -> None:
    """Send, and wait until the first has been taken."""
    connection.writer.write(b"".join(frame(TEXT, message.encode()) for message in messages))
    await until(lambda: messages[0] in taker.told)


async def test_a_handler_takes_what_comes_and_is_told_of_the_end_once() -> None:
    async with handed_over() as (connection, taker):
        await say(connection, taker, "a", "b")
        connection.writer.write(frame(CLOSE, b"\x03\xe8bye"))
        await asyncio.wait_for(connection.lost.wait(), SECONDS)
        assert taker.told == ["a", "b", (1000, "bye")]


async def test_what_came_before_the_connection_was_handed_over_is_taken_first() -> None:
    taker = Taker()

    async def app(connection: Connection, _send: Send) -> None:
        await until(lambda: len(connection.protocol._inbox or ()) == 2)
        connection.protocol.hand_over(taker)

    async with connected(app) as connection:
        await connection.shake_hands()
        connection.writer.write(frame(TEXT, b"a") + frame(TEXT, b"b"))
        await until(lambda: taker.told == ["a", "b"])
        await say(connection, taker, "c")
        assert taker.told == ["a", "b", "c"]


async def test_a_connection_that_was_lost_before_it_was_handed_over_ends_its_handler() -> None:
    taker = Taker()

    async def app(connection: Connection, _send: Send) -> None:
        await connection.lost.wait()
        connection.protocol.hand_over(taker)

    async with connected(app) as connection:
        await connection.shake_hands()
        connection.writer.close()
        await until(lambda: taker.told == [(1006, "")])


async def test_calls_of_a_handler_never_overlap() -> None:
    async with handed_over() as (connection, taker):
        await say(connection, taker, "slow", "a", "b")
        taker.gate.set()
        await until(lambda: len(taker.told) == 4)
        assert taker.told == ["slow", "done", "a", "b"]


async def test_who_works_is_read_ahead_by_little() -> None:
    async with handed_over() as (connection, taker):
        await say(connection, taker, "slow", *["x"] * 3 * module.AHEAD)
        assert not connection.protocol.transport.is_reading()
        assert len(connection.protocol._inbox or ()) == module.AHEAD
        taker.gate.set()
        await until(lambda: len(taker.told) == 2 + 3 * module.AHEAD)


async def test_the_end_waits_for_the_work_and_what_is_behind_it_and_is_told_once() -> None:
    async with handed_over() as (connection, taker):
        await say(connection, taker, "slow", "a")
        connection.protocol.close(4000, "enough")
        connection.protocol.transport.abort()
        await connection.lost.wait()
        taker.gate.set()
        await until(lambda: taker.ends)
        await until(lambda: not connection.tasks)
        assert taker.told == ["slow", "done", "a", (4000, "enough")]


async def test_a_close_while_a_handler_works_is_told_once_though_the_connection_ends_later() -> None:
    async with handed_over() as (connection, taker):
        await say(connection, taker, "slow")
        connection.protocol.close(4000, "enough")
        taker.gate.set()
        await until(lambda: taker.ends)
        assert not connection.lost.is_set()
        connection.writer.write(frame(CLOSE, (4000).to_bytes(2)))
        await asyncio.wait_for(connection.lost.wait(), SECONDS)
        assert taker.ends == [(4000, "enough")]


@pytest.mark.parametrize("how", ["fail", "fail slowly"])
async def test_a_handler_that_fails_is_told_of_the_end(how: str, caplog: pytest.LogCaptureFixture) -> None:
    async with handed_over() as (connection, taker):
        taker.gate.set()
        await say(connection, taker, how)
        await until(lambda: taker.ends)
        assert await connection.rest() == b""
    assert taker.told == [how, (1006, "")]
    assert "Exception in a connection's handler" in caplog.text


async def test_a_handler_that_fails_after_the_connection_was_lost_is_told_of_the_end() -> None:
    async with handed_over() as (connection, taker):
        await say(connection, taker, "fail slowly")
        connection.protocol.transport.abort()
        await connection.lost.wait()
        taker.gate.set()
        await until(lambda: taker.ends)
        assert len(taker.ends) == 1


async def test_a_handler_whose_work_is_cancelled_is_told_of_the_end() -> None:
    async with handed_over() as (connection, taker):
        await say(connection, taker, "slow", "a")
        for task in connection.tasks:
            task.cancel()
        await until(lambda: taker.ends)
        assert taker.told == ["slow", (1006, "")]


async def test_a_handler_that_fails_at_the_end_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async with handed_over() as (connection, taker):
        taker.ended = lambda _code, _reason: 1 / 0  # type: ignore[assignment, method-assign]
        connection.protocol.close(1000, "")
        assert await connection.frame() == close_frame(1000)
    assert "Exception in a connection's handler" in caplog.text


# The server stops.


async def test_a_stop_comes_behind_all_that_was_received() -> None:
    async with handed_over() as (connection, taker):
        await say(connection, taker, "slow", "a")
        connection.protocol.shutdown()
        taker.gate.set()
        await until(lambda: "stop" in taker.told)
        assert taker.told == ["slow", "done", "a", "stop"]


async def test_a_stop_of_an_idle_connection_is_told_at_once() -> None:
    async with handed_over() as (connection, taker):
        connection.protocol.shutdown()
        assert taker.told == ["stop"]
        connection.protocol.transport.abort()


async def test_a_handler_that_does_not_finish_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRAINING_SECONDS", 0.05)
    async with handed_over() as (connection, taker):
        await say(connection, taker, "slow")
        connection.protocol.shutdown()
        assert (await connection.frame())[1][:2] == (1012).to_bytes(2)
        taker.gate.set()


async def test_who_does_not_read_is_not_waited_for_when_the_server_stops() -> None:
    async with handed_over(receive_buffer=4096) as (connection, taker):
        await fill(connection)
        connection.protocol.shutdown()
        await until(lambda: taker.ends)
        assert taker.told == ["stop", (1012, "retry_after=1.0")]
        connection.protocol.transport.abort()
