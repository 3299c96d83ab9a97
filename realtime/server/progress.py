"""Whether a peer reads what it is sent, as far as the kernel tells."""

import asyncio
import socket
import struct

STEPS = 6
"""Looks without any progress, where the kernel does not say how much has arrived: it then makes room in large steps."""
BYTES_ACKED = 120
"""Where `tcpi_bytes_acked` stands in Linux's `struct tcp_info`."""


class Progress:
    """What waited for a peer when it was last looked at, and how much it had taken."""

    __slots__ = ("_idle", "_taken", "_waiting")

    def __init__(self) -> None:
        self._waiting = 0
        self._taken: int | None = None
        self._idle = 0

    def has_stalled(self, transport: asyncio.Transport, least: float) -> bool:
        """Tell whether something waits, as it did at the last look, and fewer bytes than `least` were taken since."""
        waiting, before = transport.get_write_buffer_size(), self._waiting
        taken, taken_before = (_taken(transport) if waiting else None), self._taken
        self._waiting, self._taken = waiting, taken
        if not (waiting and before):
            self._idle = 0
            return False
        if taken is not None and taken_before is not None:
            return taken - taken_before < least
        self._idle = self._idle + 1 if waiting >= before else 0
        return self._idle >= STEPS and least > 0

    def made(self) -> None:
        """The transport says that there is room again, so something was taken."""
        if self._taken is None:
            self._waiting = 0


def _taken(transport: asyncio.Transport) -> int | None:
    """Bytes that have arrived at the peer's kernel in all; None where ours does not say."""
    raw = transport.get_extra_info("socket")
    option = getattr(socket, "TCP_INFO", None)
    if raw is None or option is None or raw.family not in {socket.AF_INET, socket.AF_INET6}:
        return None
    try:
        info: bytes = raw.getsockopt(socket.IPPROTO_TCP, option, 256)
    except OSError:
        return None
    return struct.unpack_from("=Q", info, BYTES_ACKED)[0] if len(info) >= BYTES_ACKED + 8 else None
