"""What is changed of the library's state machines, and what the kernel may keep of a connection."""

import socket

import pytest

from realtime.server.frames import KERNEL_BUFFER_BYTES, bound_send_buffer
from tests.realtime.server.wire import close_frame, connected, fill
from tests.servers.raw import CLOSE, CONT, TEXT, frame


async def test_a_close_between_fragments_is_a_clean_close() -> None:
    async with connected() as connection:
        await connection.shake_hands()
        connection.writer.write(frame(TEXT, b"h", fin=False) + frame(CLOSE, b"\x03\xe8") + frame(CONT, b"i"))
        assert await connection.frame() == close_frame(1000)
        assert await connection.rest() == b""
        await connection.until_received(2)
        assert connection.received[1:] == [{"type": "websocket.disconnect", "code": 1000, "reason": ""}]


async def test_the_kernel_hides_little_of_a_backlog() -> None:
    async with connected(receive_buffer=4096) as connection:
        await connection.shake_hands()
        assert await fill(connection) < 4 * KERNEL_BUFFER_BYTES  # ours counted twice by Linux, and the client's


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="sockets of this system are all of the network")
@pytest.mark.parametrize(("family", "set_anew"), [("AF_INET", True), ("AF_UNIX", False)])
def test_sockets_of_the_network_are_bounded_and_others_left_alone(family: str, set_anew: bool) -> None:
    with socket.socket(getattr(socket, family)) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        before = raw.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        bound_send_buffer(raw)
        assert (raw.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) != before) is set_anew


def test_where_there_is_no_socket_there_is_nothing_to_bound() -> None:
    bound_send_buffer(None)
