"""Who reads a socket in tests of what is sent to it."""

import asyncio
from typing import Any


class Reader:
    """The far end of a socket, behind both kinds of outbox. It reads until it is told to stop."""

    def __init__(self) -> None:
        self.got: list[str | bytes] = []
        self.wire = b""
        """What a ready-made writer has handed over."""
        self.reads = asyncio.Event()
        self.reads.set()
        self.gone = False
        self.overflows = 0
        self._unread = 0
        self.ended = False
        self.transport: Any = self
        self.handler: Any = None

    # As an ASGI server.

    async def send(self, message: dict[str, Any]) -> None:
        await self.reads.wait()
        if self.gone:
            raise OSError("the peer is gone")
        self.got.append(message["text"] if "text" in message else message["bytes"])

    # As our own server.

    def write(self, wire: bytes) -> None:
        self.wire += wire
        if not self.reads.is_set():
            self._unread += len(wire)

    @property
    def is_writable(self) -> bool:
        return self.reads.is_set()

    def get_write_buffer_size(self) -> int:
        return 0 if self.reads.is_set() else self._unread

    def close(self, code: int, reason: str) -> None:
        self.ended = True

    def hand_over(self, handler: Any) -> None:
        self.handler = handler

    async def drain(self) -> None:
        await self.reads.wait()

    # What tests do and ask.

    def stop(self) -> None:
        self.reads.clear()

    def resume(self) -> None:
        self._unread = 0
        self.reads.set()

    def overflow(self) -> None:
        self.overflows += 1

    def frames(self) -> list[str | bytes]:
        """All frames so far, whichever way they came."""
        return [*self.got, *read_frames(self.wire)]


def read_frames(wire: bytes) -> list[str | bytes]:
    """Unmasked frames (RFC 6455 §5.2) as a client reads them."""
    frames: list[str | bytes] = []
    while wire:
        opcode, size, at = wire[0], wire[1], 2
        if size > 125:
            at += 2 if size == 126 else 8
            size = int.from_bytes(wire[2:at])
        payload, wire = wire[at : at + size], wire[at + size :]
        frames.append(payload.decode() if opcode == 0x81 else payload)
    return frames
