"""A connection up to the answer to its handshake."""

import asyncio
import logging

import pytest

from realtime.server.opening import EARLY_BYTES
from realtime.testing import until
from tests.realtime.server.wire import SECONDS, Connection, Send, connected, stay
from tests.servers.raw import HANDSHAKE, TEXT, frame

# What is no handshake, and one that is refused.


@pytest.mark.parametrize(
    ("path", "status"), [("/ws/grüße/", 400), (" /", 400), ("/" + "x" * 70_000, 414), ("/ HTTP/1.1\r\n" * 200, 431)]
)
async def test_a_request_that_is_none_is_answered(path: str, status: int) -> None:
    async with connected() as connection:
        assert await connection.shake_hands(path) == status
        await connection.rest()
        assert connection.received == []


async def refusing(_connection: Connection, send: Send) -> None:
    await send({"type": "websocket.http.response.start", "status": 503, "headers": [(b"retry-after", b"5")]})
    await send({"type": "websocket.http.response.body", "body": b"come ", "more_body": True})
    await send({"type": "websocket.http.response.body", "body": b"back"})


async def test_a_refused_handshake_has_its_status_and_ends() -> None:
    async with connected(refusing, accepts=False) as connection:
        assert await connection.shake_hands() == 503
        assert b"\r\nretry-after: 5\r\n" in connection.head
        assert await connection.rest() == b"come back"


# Before the accept.


async def asked(connection: Connection) -> None:
    """Send the handshake and wait until the application has it."""
    connection.writer.write(HANDSHAKE.format(path="/", host="testserver").encode())
    await asyncio.wait_for(connection.asked.wait(), SECONDS)


async def until_done(connection: Connection) -> None:
    """Wait until the application has returned."""
    await until(lambda: not connection.tasks)


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno >= logging.ERROR]


async def test_an_application_that_fails_before_the_accept_answers_500() -> None:
    async def app(_connection: Connection, _send: Send) -> None:
        raise ValueError

    async with connected(app, accepts=False) as connection:
        assert await connection.shake_hands() == 500
        await connection.rest()
        await until_done(connection)


async def test_an_application_that_returns_before_the_accept_answers_500() -> None:
    async def app(_connection: Connection, _send: Send) -> None: ...

    async with connected(app, accepts=False) as connection:
        assert await connection.shake_hands() == 500
        await connection.rest()


async def test_a_message_before_the_accept_answers_500() -> None:
    async def app(_connection: Connection, send: Send) -> None:
        await send({"type": "websocket.send", "text": "too early"})

    async with connected(app, accepts=False) as connection:
        assert await connection.shake_hands() == 500


async def test_a_close_before_the_accept_answers_403() -> None:
    async def app(_connection: Connection, send: Send) -> None:
        await send({"type": "websocket.close"})

    async with connected(app, accepts=False) as connection:
        assert await connection.shake_hands() == 403
        await connection.rest()
        await until_done(connection)


async def test_a_stop_while_a_handshake_is_pending_answers_500_and_ends_the_application() -> None:
    async with connected(accepts=False) as connection:
        await asked(connection)
        connection.protocol.shutdown()
        assert (await connection.rest()).startswith(b"HTTP/1.1 500 ")
        await until_done(connection)
        assert [message["type"] for message in connection.received] == ["websocket.connect", "websocket.disconnect"]


async def test_a_stop_before_anything_was_asked_only_hangs_up() -> None:
    async with connected() as connection:
        await until(lambda: hasattr(connection, "protocol"))
        connection.protocol.shutdown()
        assert await connection.rest() == b""


def early(connection: Connection) -> bytes:
    """What came before the answer."""
    opening = connection.protocol._opening  # noqa: SLF001 - nothing else tells that it came
    return bytes(opening.early) if opening else b""


async def test_what_comes_before_the_accept_is_delivered_after_it_in_order() -> None:
    async def app(connection: Connection, send: Send) -> None:
        await until(lambda: len(early(connection)) > 10)
        await send({"type": "websocket.accept"})
        await stay(connection, send)

    async with connected(app, accepts=False) as connection:
        await asked(connection)
        whole = frame(TEXT, b"1") + frame(TEXT, b"2")
        connection.writer.write(whole[:10])
        await until(lambda: early(connection))
        connection.writer.write(whole[10:])
        await connection.until_received(3)
        connection.writer.write(frame(TEXT, b"3"))
        await connection.until_received(4)
        assert [message["text"] for message in connection.received[1:]] == ["1", "2", "3"]


async def test_what_comes_before_the_accept_is_bounded() -> None:
    async with connected(accepts=False) as connection:
        await asked(connection)
        connection.writer.write(b"x" * (EARLY_BYTES + 1))
        await asyncio.wait_for(connection.lost.wait(), SECONDS)


async def test_a_client_that_left_before_the_accept_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def app(connection: Connection, send: Send) -> None:
        await connection.lost.wait()
        await send({"type": "websocket.accept"})

    async with connected(app, accepts=False) as connection:
        await asked(connection)
        connection.writer.close()
        await until_done(connection)
    assert errors(caplog) == []


@pytest.mark.parametrize("kind", ["websocket.accept", "websocket.close"])
async def test_an_answer_while_the_connection_is_being_lost_is_no_failure(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(connection: Connection, send: Send) -> None:
        connection.protocol.transport.abort()
        await send({"type": kind})
        await send({"type": "websocket.close"})

    async with connected(app, accepts=False) as connection:
        await asked(connection)
        await until_done(connection)
    assert errors(caplog) == []


async def test_compression_is_not_agreed() -> None:
    async with connected() as connection:
        await connection.shake_hands(extensions="permessage-deflate")
        assert b"sec-websocket-extensions" not in connection.head.lower()


COOKIES = "; ".join(f"c{each}={'a' * 4000}" for each in range(4))


@pytest.mark.parametrize(
    "more",
    [
        pytest.param([f"Cookie: {COOKIES}"], id="16 kB of cookies"),
        pytest.param([f"X-{each}: 1" for each in range(130)], id="130 headers"),
    ],
)
async def test_as_much_may_be_sent_as_to_a_page(more: list[str]) -> None:
    async with connected() as connection:
        request = HANDSHAKE.format(path="/", host="testserver").removesuffix("\r\n")
        connection.writer.write("\r\n".join([request.rstrip(), *more, "", ""]).encode())
        assert (await connection.reader.readuntil(b"\r\n")).split()[1] == b"101"


async def test_what_was_that_long_can_be_refused_too() -> None:
    async with connected(refusing, accepts=False) as connection:
        request = HANDSHAKE.format(path="/", host="testserver").rstrip()
        connection.writer.write(f"{request}\r\nCookie: {COOKIES}\r\n\r\n".encode())
        assert (await connection.reader.readuntil(b"\r\n")).split()[1] == b"503"
