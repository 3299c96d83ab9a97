"""Frames as they are on the wire (RFC 6455 §5.2), and what the kernel may keep of them."""

import socket

from websockets.exceptions import ProtocolError
from websockets.frames import Close

KERNEL_BUFFER_BYTES = 256 * 1024
"""Send buffer of a socket: without a bound the kernel hides megabytes of backlog from the outbox."""

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FIN = 0x80


def bound_send_buffer(raw: socket.socket | None) -> None:
    """Let the kernel keep little of what a socket, or each that a listener accepts, is to send."""
    if raw is not None and raw.family in {socket.AF_INET, socket.AF_INET6}:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER_BYTES)


def frame(opcode: int, payload: bytes) -> bytes:
    """A whole message, or a control frame, as a server sends it: without a mask (§5.1)."""
    size = len(payload)
    if size < 126:
        header = bytes((FIN | opcode, size))
    elif size < 65536:
        header = bytes((FIN | opcode, 126)) + size.to_bytes(2)
    else:
        header = bytes((FIN | opcode, 127)) + size.to_bytes(8)
    return header + payload


class WrongFrame(Exception):
    """What a client may not send: ends its connection with a code (§7.4.1) and a reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def read_close(payload: bytes) -> tuple[int, str]:
    """Code and reason of a close frame (§5.5.1), 1005 where it has none; raises WrongFrame."""
    try:
        close = Close.parse(payload)
    except ProtocolError as error:
        raise WrongFrame(1002, str(error)) from None
    except UnicodeDecodeError:
        raise WrongFrame(1007, "invalid UTF-8") from None
    return int(close.code), close.reason
