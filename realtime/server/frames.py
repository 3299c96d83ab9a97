"""The state machines of a connection's frames, and what the kernel may keep of them."""

import socket

from websockets.exceptions import InvalidHeader
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import Protocol
from websockets.server import ServerProtocol

KERNEL_BUFFER_BYTES = 256 * 1024
"""Send buffer of a socket: without a bound the kernel hides megabytes of backlog from the outbox."""


def bound_send_buffer(raw: socket.socket | None) -> None:
    """Let the kernel keep little of what a socket, or each that a listener accepts, is to send."""
    if raw is not None and raw.family in {socket.AF_INET, socket.AF_INET6}:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER_BYTES)


class ClosesBetweenFragments:
    """Lets the sans-I/O state machine take a close between fragments (RFC 6455 §5.4, §5.5)."""

    current_size: int | None

    def recv_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CLOSE:
            self.current_size = None  # the rest of the fragmented message will not come
        super().recv_frame(frame)  # type: ignore[misc]  # a Protocol's


class Frames(ClosesBetweenFragments, Protocol):
    """The state machine of a connection whose handshake was read by realtime.server.handshake."""


class WholeConnection(ClosesBetweenFragments, ServerProtocol):
    """The state machine with the library's own handshake, which leaves the Host to us (RFC 9112 §3.2)."""

    def process_request(self, request: Request) -> tuple[str, str | None, str | None]:
        if len(request.headers.get_all("Host")) != 1:
            raise InvalidHeader("Host")
        return super().process_request(request)
