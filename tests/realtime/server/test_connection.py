"""Our WebSocket protocol on a real connection: what it adds to Uvicorn's, and what it mends."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from realtime.hub.outbox import DirectOutbox, Frame
from realtime.server import connection as module
from realtime.server.connection import ChorusProtocol
from realtime.server.frames import KERNEL_BUFFER_BYTES
from realtime.server.opening import HIGH_WATER_BYTES
from realtime.testing import until
from tests.servers.raw import CLOSE, CONT, HANDSHAKE, PING, PONG, TEXT, frame

SECONDS = 5.0
Message = dict[str, Any]


class Connection:
    """Both ends of one connection: the application's, and a client's on a bare socket."""

    def __init__(self) -> None:
        self.accepted = asyncio.Event()
        self.scope: Message = {}
        self.received: list[Message] = []
        self.head = b""
        """Of the answer to the handshake."""
        self.asked = asyncio.Event()
        self.tasks: set[asyncio.Task[None]]
        self.protocol: ChorusProtocol
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter
        self.lost = asyncio.Event()

    async def shake_hands(self, path: str = "/", extensions: str = "") -> int:
        """Ask for a WebSocket; gives the status of the answer."""
        request = HANDSHAKE.format(path=path, host="testserver")
        if extensions:
            request = request.replace("\r\n\r\n", f"\r\nSec-WebSocket-Extensions: {extensions}\r\n\r\n")
        self.writer.write(request.encode("utf-8"))
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), SECONDS)
        self.head = head
        if head.split()[1] == b"101":
            await asyncio.wait_for(self.accepted.wait(), SECONDS)
        return int(head.split()[1])

    async def frame(self) -> tuple[int, bytes]:
        """The next frame's opcode and payload."""
        async with asyncio.timeout(SECONDS):
            first, size = await self.reader.readexactly(2)
            if size > 125:
                size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8))
            return first & 15, await self.reader.readexactly(size)

    async def rest(self) -> bytes:
        """All bytes to the end of the connection."""
        return await asyncio.wait_for(self.reader.read(), SECONDS)

    async def until_received(self, count: int) -> None:
        """Wait until the application was given so many messages."""
        await until(lambda: len(self.received) >= count)


def close_frame(code: int, reason: bytes = b"") -> tuple[int, bytes]:
    return CLOSE, code.to_bytes(2) + reason


App = Callable[[Connection, Callable[[Message], Awaitable[None]]], Awaitable[None]]


async def stay(connection: Connection, _send: Callable[[Message], Awaitable[None]]) -> None:
    """An application that listens to the end."""
    while connection.received[-1]["type"] != "websocket.disconnect":
        connection.received.append(dict(await connection.protocol.receive()))


@asynccontextmanager
async def connected(
    app: App = stay, *, accepts: bool = True, receive_buffer: int = 0, **options: Any
) -> AsyncIterator[Connection]:
    """A server with one application, and a connection to it that has not said anything yet."""
    connection = Connection()

    async def application(scope: Message, receive: Any, send: Any) -> None:
        connection.scope = scope
        connection.received.append(await receive())
        if connection.received[-1]["type"] != "websocket.connect":
            return
        connection.asked.set()
        if accepts:
            await send({"type": "websocket.accept"})
        connection.accepted.set()
        await app(connection, send)

    class Protocol(ChorusProtocol):
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            connection.lost.set()

    options = {"ws_ping_interval": None, "ws_per_message_deflate": False, **options}
    config = uvicorn.Config(application, lifespan="off", log_config=None, ws="none", **options)
    config.load()
    state = ServerState()
    connection.tasks = state.tasks

    def make() -> ChorusProtocol:
        connection.protocol = Protocol(config, state, {})
        return connection.protocol

    loop = asyncio.get_running_loop()
    server = await loop.create_server(make, "127.0.0.1", 0)
    raw = socket.socket()
    if receive_buffer:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    raw.setblocking(False)
    await loop.sock_connect(raw, server.sockets[0].getsockname())
    connection.reader, connection.writer = await asyncio.open_connection(sock=raw, limit=2**16)
    try:
        yield connection
    finally:
        connection.writer.close()
        await asyncio.wait_for(connection.lost.wait(), SECONDS)
        server.close()
        await server.wait_closed()
        await asyncio.gather(*state.tasks, return_exceptions=True)


async def refusing(_connection: Connection, send: Callable[[Message], Awaitable[None]]) -> None:
    await send({"type": "websocket.http.response.start", "status": 503, "headers": [(b"retry-after", b"5")]})
    await send({"type": "websocket.http.response.body", "body": b"come ", "more_body": True})
    await send({"type": "websocket.http.response.body", "body": b"back"})


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


async def test_a_close_between_fragments_is_a_clean_close() -> None:
    async with connected() as connection:
        await connection.shake_hands()
        connection.writer.write(frame(TEXT, b"h", fin=False) + frame(CLOSE, b"\x03\xe8") + frame(CONT, b"i"))
        assert await connection.frame() == close_frame(1000)
        assert await connection.rest() == b""
        await connection.until_received(2)
        assert connection.received[1:] == [{"type": "websocket.disconnect", "code": 1000, "reason": ""}]


async def test_what_comes_after_a_close_is_not_delivered() -> None:
    async with connected() as connection:
        await connection.shake_hands()
        connection.writer.write(frame(CLOSE, b"\x03\xe8") + frame(TEXT, b"too late"))
        await asyncio.wait_for(connection.lost.wait(), SECONDS)
        assert [message["type"] for message in connection.received[1:]] == ["websocket.disconnect"]


@pytest.mark.parametrize(
    ("path", "status"), [("/ws/grüße/", 400), (" /", 400), ("/" + "x" * 20_000, 414), ("/ HTTP/1.1\r\n" * 200, 400)]
)
async def test_a_request_that_is_none_is_answered(path: str, status: int) -> None:
    async with connected() as connection:
        assert await connection.shake_hands(path) == status
        await connection.rest()
        assert connection.received == []


# What goes out.


async def test_ready_made_frames_go_between_the_application_s_own_in_order() -> None:
    async def app(connection: Connection, send: Callable[[Message], Awaitable[None]]) -> None:
        await send({"type": "websocket.send", "text": "1"})
        connection.scope["extensions"]["chorus.frames"].write(Frame("2").wire)
        await send({"type": "websocket.send", "text": "3"})
        await stay(connection, send)

    async with connected(app) as connection:
        await connection.shake_hands()
        assert [await connection.frame() for _ in range(3)] == [(TEXT, b"1"), (TEXT, b"2"), (TEXT, b"3")]


async def test_with_compression_ready_made_frames_are_not_offered() -> None:
    async with connected(ws_per_message_deflate=True) as connection:
        await connection.shake_hands(extensions="permessage-deflate")
        assert "chorus.frames" not in connection.scope["extensions"]


async def test_a_client_without_compression_gets_ready_made_frames_where_others_compress() -> None:
    async with connected(ws_per_message_deflate=True) as connection:
        await connection.shake_hands()
        assert connection.scope["extensions"]["chorus.frames"] is connection.protocol


async def test_nothing_is_written_after_the_close_that_a_client_sent() -> None:
    async with connected() as connection:
        await connection.shake_hands()
        connection.writer.write(frame(CLOSE, b"\x03\xe8"))
        await connection.until_received(2)
        DirectOutbox(connection.protocol, lambda: None).push(Frame("too late"))
        assert await connection.frame() == close_frame(1000)
        assert await connection.rest() == b""


async def test_nothing_is_written_after_our_own_close() -> None:
    async def app(connection: Connection, send: Callable[[Message], Awaitable[None]]) -> None:
        await send({"type": "websocket.close", "code": 4000, "reason": "slow reader"})
        DirectOutbox(connection.protocol, lambda: None).push(Frame("too late"))
        await stay(connection, send)

    async with connected(app) as connection:
        await connection.shake_hands()
        assert await connection.frame() == close_frame(4000, b"slow reader")
        connection.writer.write(frame(CLOSE, (4000).to_bytes(2)))
        assert await connection.rest() == b""


async def test_a_second_close_is_harmless() -> None:
    async def app(connection: Connection, send: Callable[[Message], Awaitable[None]]) -> None:
        await send({"type": "websocket.close", "code": 1000})
        await send({"type": "websocket.close", "code": 1011})
        await stay(connection, send)

    async with connected(app) as connection:
        await connection.shake_hands()
        assert await connection.frame() == close_frame(1000)


async def test_a_refused_handshake_has_its_status_and_ends() -> None:
    async with connected(refusing, accepts=False) as connection:
        assert await connection.shake_hands() == 503
        assert b"\r\nretry-after: 5\r\n" in connection.head
        assert await connection.rest() == b"come back"


async def test_an_application_that_returns_ends_the_connection() -> None:
    async def app(_connection: Connection, _send: Callable[[Message], Awaitable[None]]) -> None: ...

    async with connected(app) as connection:
        await connection.shake_hands()
        assert await connection.rest() == b""


# A reader that has stopped.


async def idle(connection: Connection, _send: Callable[[Message], Awaitable[None]]) -> None:
    """An application that takes no notice of anything."""
    await connection.lost.wait()


async def fill(connection: Connection) -> int:
    """Write until nothing more goes out; gives the bytes that the kernel took."""
    written, taken = 0, -1
    while written - connection.protocol.buffered() > taken and not connection.protocol.transport.is_closing():
        taken = written - connection.protocol.buffered()
        for _ in range(16):
            connection.protocol.write(Frame(b"x" * 65536).wire)
            written += len(Frame(b"x" * 65536).wire)
        await asyncio.sleep(0.05)
    return taken


async def test_the_kernel_hides_little_of_a_backlog() -> None:
    async with connected(receive_buffer=4096) as connection:
        await connection.shake_hands()
        assert await fill(connection) < 4 * KERNEL_BUFFER_BYTES  # ours counted twice by Linux, and the client's


async def test_a_close_does_not_wait_for_a_reader_and_aborts_it_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLOSING_SECONDS", 0.2)

    async def app(connection: Connection, send: Callable[[Message], Awaitable[None]]) -> None:
        await fill(connection)
        await asyncio.wait_for(send({"type": "websocket.close", "code": 4000}), 0.1)
        await idle(connection, send)

    async with connected(app, receive_buffer=4096) as connection:
        await connection.shake_hands()
        await asyncio.wait_for(connection.lost.wait(), 3)
        assert connection.protocol.close_sent


async def test_a_reader_that_stopped_is_aborted_when_its_application_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLOSING_SECONDS", 0.2)

    async def app(connection: Connection, _send: Callable[[Message], Awaitable[None]]) -> None:
        await fill(connection)

    async with connected(app, receive_buffer=4096) as connection:
        await connection.shake_hands()
        await asyncio.wait_for(connection.lost.wait(), 3)


async def test_a_reader_that_stopped_after_its_own_close_is_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLOSING_SECONDS", 0.2)
    async with connected(idle, receive_buffer=4096) as connection:
        await connection.shake_hands()
        await fill(connection)
        connection.writer.write(frame(CLOSE, b"\x03\xe8"))
        await asyncio.wait_for(connection.lost.wait(), 3)


async def test_a_reader_that_sends_nonsense_and_stopped_is_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLOSING_SECONDS", 0.2)
    async with connected(idle, receive_buffer=4096) as connection:
        await connection.shake_hands()
        await fill(connection)
        connection.writer.write(frame(3, b"no such opcode"))
        await asyncio.wait_for(connection.lost.wait(), 3)


async def test_who_answers_no_ping_is_closed_with_1011_and_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLOSING_SECONDS", 0.2)
    async with connected(idle, receive_buffer=4096, ws_ping_interval=0.4, ws_ping_timeout=0.1) as connection:
        await connection.shake_hands()
        await fill(connection)
        await asyncio.wait_for(connection.lost.wait(), 3)
        assert connection.protocol.conn.close_sent is not None
        assert connection.protocol.conn.close_sent.code == 1011


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


async def test_a_consumer_that_drains_is_told_behind_all_that_was_received() -> None:
    async with connected() as connection:
        await connection.shake_hands()
        connection.protocol.drains = True
        connection.writer.write(frame(TEXT, b"1") + frame(TEXT, b"2"))
        await connection.until_received(3)
        connection.protocol.shutdown()
        await connection.until_received(4)
        assert [message.get("text", message["type"]) for message in connection.received[1:]] == [
            "1",
            "2",
            "chorus.shutdown",
        ]


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


# Before the accept.

Send = Callable[[Message], Awaitable[None]]


async def asked(connection: Connection) -> None:
    """Send the handshake and wait until the application has it."""
    connection.writer.write(HANDSHAKE.format(path="/", host="testserver").encode())
    await asyncio.wait_for(connection.asked.wait(), SECONDS)


async def until_done(connection: Connection) -> None:
    """Wait until the application has returned."""
    await until(lambda: not connection.tasks)


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("deflate", [False, True])
async def test_an_application_that_fails_before_the_accept_answers_500(deflate: bool) -> None:
    async def app(_connection: Connection, _send: Send) -> None:
        raise ValueError

    async with connected(app, accepts=False, ws_per_message_deflate=deflate) as connection:
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


async def test_what_comes_before_the_accept_is_delivered_after_it_in_order() -> None:
    async def app(connection: Connection, send: Send) -> None:
        await until(lambda: len(connection.protocol._early) > 1)  # noqa: SLF001 - nothing else tells that it came
        await send({"type": "websocket.accept"})
        await stay(connection, send)

    async with connected(app, accepts=False) as connection:
        await asked(connection)
        whole = frame(TEXT, b"1") + frame(TEXT, b"2")
        connection.writer.write(whole[:10])
        await until(lambda: connection.protocol._early)  # noqa: SLF001 - likewise
        connection.writer.write(whole[10:])
        await connection.until_received(3)
        connection.writer.write(frame(TEXT, b"3"))
        await connection.until_received(4)
        assert [message["text"] for message in connection.received[1:]] == ["1", "2", "3"]


async def test_what_comes_before_the_accept_is_bounded() -> None:
    async with connected(accepts=False) as connection:
        await asked(connection)
        connection.writer.write(b"x" * (HIGH_WATER_BYTES + 1))
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


# Reading ahead.


def short(count: int) -> list[bytes]:
    return [frame(TEXT, str(number).encode()) for number in range(count)]


async def test_a_few_short_messages_are_read_ahead() -> None:
    async with connected(idle) as connection:
        await connection.shake_hands()
        connection.writer.write(b"".join(short(module.AHEAD - 1)))
        await until(lambda: connection.protocol.queue.qsize() == module.AHEAD - 1)
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


# Compression.


async def test_compression_is_agreed_with_the_option_on() -> None:
    async with connected(ws_per_message_deflate=True) as connection:
        await connection.shake_hands(extensions="permessage-deflate")
        assert b"\r\nsec-websocket-extensions: permessage-deflate" in connection.head.lower()


async def test_compression_is_not_agreed_with_the_option_off() -> None:
    async with connected() as connection:
        await connection.shake_hands(extensions="permessage-deflate")
        assert b"sec-websocket-extensions" not in connection.head.lower()
        assert connection.scope["extensions"]["chorus.frames"] is connection.protocol
