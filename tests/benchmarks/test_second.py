"""The second load generator counts what comes, however it is cut, and says what went wrong."""

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

from benchmarks.compiled import compiler
from benchmarks.load.generator import LoadError
from benchmarks.load.second import SOURCE, second
from benchmarks.load.wire import CLOSE, PING
from benchmarks.others import PEERS
from benchmarks.peers.blaster import ANSWER

pytestmark = [pytest.mark.process, pytest.mark.skipif(compiler() is None, reason="there is no C compiler (cc)")]
PAYLOAD = "x" * 128
FRAME_BYTES = 8 + len(PAYLOAD)
ANSWER_FRAME = bytes((0x81, 126)) + (128).to_bytes(2) + PAYLOAD.encode()
PONG_BYTES = 6 + 2
heads: dict[int, bytes] = {}
"""What the server on each port was asked."""
Serve = Callable[[Callable[[socket.socket], None]], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server of one connection, which a function is given once its handshake is answered; gives its port."""
    listeners = []

    def start(handle: Callable[[socket.socket], None]) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        Thread(target=_accept, args=(listener, handle), daemon=True).start()
        return int(listener.getsockname()[1])

    yield start
    for listener in listeners:
        listener.close()


def _accept(listener: socket.socket, handle: Callable[[socket.socket], None]) -> None:
    connection, _ = listener.accept()
    with connection, suppress(OSError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        heads[listener.getsockname()[1]] = connection.recv(4096)
        handle(connection)


def _wait(connection: socket.socket) -> None:
    """Let in, and say nothing."""
    connection.sendall(ANSWER)
    connection.recv(1)


def _echo(connection: socket.socket) -> None:
    """Answer each message, after a ping, in four writes that cut the header; and read the pong."""
    connection.sendall(ANSWER)
    while len(connection.recv(FRAME_BYTES, socket.MSG_WAITALL)) == FRAME_BYTES:
        connection.sendall(bytes((PING, 2)) + b"hi" + ANSWER_FRAME[:1])
        assert connection.recv(PONG_BYTES, socket.MSG_WAITALL)[-2:] == b"hi"
        for piece in (ANSWER_FRAME[1:3], ANSWER_FRAME[3:50], ANSWER_FRAME[50:]):
            connection.sendall(piece)


def test_messages_in_pieces_and_pings_between_them_are_counted_right(serve: Serve) -> None:
    with second(os.getpid(), serve(_echo), "/", [""], PAYLOAD) as load:
        per_second, notes = load.ping_pong(0.1)
    assert per_second > 0
    assert notes["server_cpu"] > 0  # this process is the server


def test_a_close_is_told_with_its_code(serve: Serve) -> None:
    port = serve(lambda connection: connection.sendall(ANSWER + bytes((CLOSE, 2)) + (4003).to_bytes(2)))
    with pytest.raises(LoadError, match="closed by the server: 4003"), second(os.getpid(), port, "/", [""], "x"):
        pass


def test_a_refused_handshake_is_told(serve: Serve) -> None:
    port = serve(lambda connection: connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\n\r\n"))
    with pytest.raises(LoadError, match=r"handshake refused: HTTP/1\.1 503"), second(os.getpid(), port, "/", [""], "x"):
        pass


def test_more_headers_are_sent(serve: Serve) -> None:
    port = serve(_wait)
    with second(os.getpid(), port, "/room", ["A: 1\r\nB: 2\r\n"], "x"):
        assert heads[port].startswith(b"GET /room HTTP/1.1\r\n")
        assert heads[port].endswith(b"\r\nA: 1\r\nB: 2\r\n\r\n")


@pytest.mark.parametrize("source", [SOURCE, PEERS / "least.c"])
def test_a_source_in_c_compiles_without_a_warning(source: Path) -> None:
    subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", str(source)], check=True)
