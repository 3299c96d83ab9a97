"""What waits for the reader of an event stream, as its text; bounded like a socket's."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from realtime.hub.outbox import Burst, Frame, Outbox

KEEP_ALIVE_SECONDS = 15.0
"""After so much silence a comment is sent; it also finds out who is gone."""
KEEP_ALIVE = b": keep-alive\n\n"
RETRY_MILLISECONDS = (500, 5000)
"""When a browser comes back; not all of them at once."""
FULL_BYTES = 64 * 1024
"""A replay waits while so much is unread."""


class EventOutbox(Outbox):
    """What waits for one reader, as text of the event stream; bounded like a socket's."""

    def __init__(self, encode: Callable[[str], bytes], on_overflow: Callable[[], None]) -> None:
        super().__init__(on_overflow)
        self._encode = encode
        self._unread = [b"retry: %d\n\n" % random.randint(*RETRY_MILLISECONDS)]
        self._bytes = 0
        self._ended = False
        self._news = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()

    @property
    def unsent(self) -> int:
        return self._bytes

    def offer(self, frame: Frame | Burst) -> bool:
        if self._bytes > self._limit:
            return False
        if not self.overflowed:
            self._add(frame)
        return True

    def put(self, frame: Frame) -> Awaitable[None] | None:
        if self.overflowed:
            return None
        self._add(frame)
        return None if self._drained.is_set() else self.drain()

    async def drain(self) -> None:
        await self._drained.wait()

    @property
    def gone(self) -> bool:
        return self._ended

    async def finish(self) -> None:
        """Nothing to do: what waits is read before the end."""

    def _add(self, frame: Frame | Burst) -> None:
        if self._ended:
            return
        for each in frame.frames:
            assert isinstance(each.data, str)
            event = self._encode(each.data)
            self._unread.append(event)
            self._bytes += len(event)
            self.messages += 1
            self.bytes += len(event)
        self._news.set()
        if self._bytes > FULL_BYTES:
            self._drained.clear()

    async def take(self) -> bytes:
        """All that waits, or a comment after a long silence; nothing at the end."""
        try:
            async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                await self._news.wait()
        except TimeoutError:
            return KEEP_ALIVE
        taken = b"".join(self._unread)
        self._unread.clear()
        self._bytes = 0
        if not self._ended:
            self._news.clear()
            self._drained.set()
        return taken

    def end(self) -> None:
        """Let nobody wait any more, neither for news nor for room."""
        self._ended = True
        self._news.set()
        self._drained.set()
