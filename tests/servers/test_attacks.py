"""What one client can do to a server of one process in production: others notice nothing, and it costs little."""

import asyncio
import json
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.processes import TOKENS, Server, manage, serve
from tests.servers.clients import get
from tests.servers.raw import CONT, HANDSHAKE, PING, PONG, TEXT, RawClient, dial, frame, open_raw

PROXY = "127.0.0.2"
PRODUCTION = {"DEBUG": "0", "ALLOWED_HOSTS": "127.0.0.1", "REDIS_URL": "memory://", "TRUSTED_PROXIES": PROXY}
PATIENCE = 1
"""Seconds for the head of a request."""
MANY = 150
"""More connections than one address may have unfinished."""
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The site in production, with little patience and otherwise its default limits."""
    data_dir = tmp_path_factory.mktemp("data")
    manage("collectstatic", "--no-input", env=PRODUCTION, data_dir=data_dir)
    with serve({**PRODUCTION, "CHORUS_HEAD_TIMEOUT": f"{PATIENCE}"}, data_dir=data_dir) as running:
        yield running
        assert "Traceback" not in running.log


def memory(server: Server) -> int:
    """Bytes that the server has in memory."""
    pages = int(Path(f"/proc/{server.pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def ends(client: RawClient) -> bytes:
    """What is said until the connection ends."""
    said = b""
    while True:
        try:
            data = client.connection.recv(65536)
        except ConnectionError:
            return said
        if not data:
            return said
        said += data


# Requests that do not come to their end.

SHAKE = HANDSHAKE.format(path="/ws/echo/", host="127.0.0.1").encode()
UNFINISHED = {
    "nothing": b"",
    "half a request line": b"GET /ws/ec",
    "half the headers": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept",
    "half a handshake": SHAKE[:-20],
    "half a body": b"POST /api/token/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{",
}


@pytest.mark.parametrize("sent", UNFINISHED.values(), ids=UNFINISHED)
def test_a_request_that_does_not_come_to_its_end_is_closed(server: Server, sent: bytes) -> None:
    with dial(server) as client:
        started = time.monotonic()
        said = ends(client.send(sent))
        assert time.monotonic() - started < 3 * PATIENCE + 3
        assert said[:12] in {b"", b"HTTP/1.1 408"}


def test_however_many_of_them_there_are_pages_and_sockets_are_served(server: Server) -> None:
    with ExitStack() as stack:
        for number in range(MANY):
            sent = list(UNFINISHED.values())[number % len(UNFINISHED)]
            stack.enter_context(dial(server)).send(sent)
        assert get(server, "/api/status").status == 200
        with open_raw(server, "/ws/echo/") as client:
            assert next(client.send(frame(TEXT, b"hi")).frames()) == (TEXT, b"hi")
    assert server.log.count("a request did not come to its end") == 1  # in a minute


# Heads.


@pytest.mark.parametrize(
    ("first", "endless", "status"),
    [
        (b"GET / HTTP/1.1\r\n", b"X-Endless: 1\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nX-Endless: ", b"x", b"431"),
        (b"GET /", b"x", b"414"),
        (SHAKE[:-2] + b"Cookie: ", b"x", b"431"),
    ],
    ids=["headers", "a header", "an address", "a handshake"],
)
def test_an_endless_head_costs_no_memory(server: Server, first: bytes, endless: bytes, status: bytes) -> None:
    before = memory(server)
    with dial(server) as client:
        client.send(first)
        for _ in range(20):
            client.send(endless * (MIB // len(endless)))
        assert ends(client)[9:12] in {status, b""}
    assert memory(server) - before < 8 * MIB


# Floods.


@contextmanager
def flooding(server: Server, path: str, data: bytes, first: bytes = b"") -> Iterator[RawClient]:
    """Somebody who sends that over and over again, as fast as it is read, and reads what comes."""
    over = threading.Event()
    with open_raw(server, path) as client:
        client.send(first)
        client.connection.settimeout(0.2)

        work = (lambda: client.connection.send(data), lambda: client.connection.recv(MIB))
        threads = [threading.Thread(target=_again_and_again, args=(each, over)) for each in work]
        for thread in threads:
            thread.start()
        try:
            yield client
        finally:
            over.set()
            for thread in threads:
                thread.join()


def _again_and_again(work: Callable[[], object], over: threading.Event) -> None:
    with suppress(OSError):
        while not over.is_set():
            with suppress(TimeoutError):
                work()


LOGIN = json.dumps({"token": TOKENS["alice"]}).encode()
FLOODS = {
    "pings": ("/ws/echo/", frame(PING) * 1000, b""),
    "pongs": ("/ws/echo/", frame(PONG) * 1000, b""),
    "empty fragments": ("/ws/echo/", frame(CONT, fin=False) * 1000, frame(TEXT, fin=False)),
    "short messages in fragments": (
        "/ws/echo/",
        (frame(TEXT, fin=False) + frame(CONT, fin=False) * 900 + frame(CONT)) * 2,
        b"",
    ),
    "empty texts to echo": ("/ws/echo/", frame(TEXT) * 1000, b""),
    "empty texts to greet": ("/ws/greet/", frame(TEXT) * 1000, b""),
    "empty texts to secure echo": ("/ws/secure-echo/", frame(TEXT) * 1000, frame(TEXT, LOGIN)),
    "pings to all": ("/ws/broadcast/", frame(PING) * 1000, b""),
}


def waits(server: Server, seconds: float) -> list[float]:
    """How long echoes take, one after another."""
    found = []
    with open_raw(server, "/ws/echo/") as client:
        frames = client.frames()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            started = time.monotonic()
            client.send(frame(TEXT, b"there?"))
            assert next(frames) == (TEXT, b"there?")
            found.append(time.monotonic() - started)
            time.sleep(0.005)
    return sorted(found)


@pytest.mark.parametrize(("path", "data", "first"), FLOODS.values(), ids=FLOODS)
def test_nobody_waits_for_somebody_s_flood(server: Server, path: str, data: bytes, first: bytes) -> None:
    with flooding(server, path, data, first):
        found = waits(server, 1.5)
    assert found[int(len(found) * 0.99)] < 0.1  # seconds; without budgets it was seconds


def test_who_is_read_in_turns_is_not_closed_for_it(server: Server) -> None:
    with open_raw(server, "/ws/echo/") as client:
        client.send(frame(TEXT, b"x") * 5000)
        frames = client.frames()
        assert [next(frames) for _ in range(5000)] == [(TEXT, b"x")] * 5000


# Who does not read.


def test_pings_of_who_reads_no_pongs_cost_no_memory(server: Server) -> None:
    before = memory(server)
    with open_raw(server, "/ws/echo/", receive_buffer=4096) as client:
        client.connection.settimeout(0.3)
        end = time.monotonic() + 3
        while time.monotonic() < end:
            client.send(frame(PING, b"p" * 125) * 500)
        assert memory(server) - before < 8 * MIB
        assert get(server, "/api/status").status == 200


UNREAD = b"GET /static/admin/js/vendor/jquery/jquery.js HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-Proto: https\r\n\r\n"


def test_answers_that_nobody_reads_are_given_up(server: Server) -> None:
    memory_before, files_before = memory(server), files(server)
    with ExitStack() as stack:
        for _ in range(20):
            client = stack.enter_context(through_proxy(server)).send(UNREAD * 40)
            assert client.connection.recv(1)
        assert get(server, "/api/status").status == 200
        server.wait_until(lambda: files(server) <= files_before, "they are given up")
    assert memory(server) - memory_before < 40 * MIB


def test_an_answer_that_is_read_slowly_is_read_to_its_end(server: Server) -> None:
    with through_proxy(server) as client:
        client.send(UNREAD)
        head, _, body = client.connection.recv(4096).partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split()[0])
        started, got = time.monotonic(), len(body)
        while got < length:
            data = client.connection.recv(4000)
            assert data, f"closed after {got} of {length} bytes"
            got += len(data)
            time.sleep(0.05)
        assert time.monotonic() - started > 3 * PATIENCE


@contextmanager
def through_proxy(server: Server) -> Iterator[RawClient]:
    """A connection from a trusted address, with a small receive buffer."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.bind((PROXY, 0))
        connection.connect(("127.0.0.1", server.port))
        yield RawClient(connection)


def files(server: Server) -> int:
    """How many files, so also connections, the server has open."""
    return len(list(Path(f"/proc/{server.pid}/fd").iterdir()))


# Readers.


async def test_readers_who_read_stay_whatever_one_writer_sends(server: Server) -> None:
    address = f"{server.ws}/ws/broadcast/"
    async with asyncio.timeout(30):
        readers = [await connect(address, max_queue=None) for _ in range(20)]
        with suppress(ConnectionClosed):  # the writer is limited, by bytes
            async with connect(address) as writer:
                for _ in range(40):
                    await writer.send(b"x" * MIB)
        for reader in readers:
            pong = await reader.ping()
            await pong
            await reader.close()


# Handshakes.


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"HTTP/1.1", b"HTTP/1.0", 505),
        (b"HTTP/1.1", b"HTTP/2.0", 505),
        (b"\r\n\r\n", b"\r\nSec-WebSocket-Protocol: a b\r\n\r\n", 400),
        (b"\r\n\r\n", b"\r\nSec-WebSocket-Protocol: ,\r\n\r\n", 400),
    ],
)
def test_a_handshake_that_the_library_refuses_is_refused(server: Server, old: bytes, new: bytes, status: int) -> None:
    with dial(server) as client:
        assert client.send(SHAKE.replace(old, new)).answer() == status
