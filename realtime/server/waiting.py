"""What one task waits for, in as few bytes as it takes: a server holds two of these for every connection."""

import asyncio
from typing import Any

KEPT = 32
"""Items that an inbox keeps at most after they were taken."""


class Inbox:
    """What has come for one task, in order; an asyncio.Queue for a single reader, at a tenth of its size."""

    __slots__ = ("_items", "_loop", "_taken", "_waiter")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._items: list[Any] = []
        self._taken = 0
        """How many of the items the reader has had."""
        self._waiter: asyncio.Future[None] | None = None

    def put_nowait(self, item: Any) -> None:
        """Add an item."""
        self._items.append(item)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def get(self) -> Any:
        """Take the next item; waits for one, and takes none if it is cancelled."""
        while self.empty():
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        item = self._items[self._taken]
        self._taken += 1
        if self._taken == len(self._items) or self._taken == KEPT:  # a reader may never be done with all
            del self._items[: self._taken]
            self._taken = 0
        return item

    def qsize(self) -> int:
        """How many items are left to take."""
        return len(self._items) - self._taken

    def empty(self) -> bool:
        """Tell whether nothing is left to take."""
        return not self._items


class Gate:
    """Open or shut; an asyncio.Event that holds nothing while nobody waits."""

    __slots__ = ("_loop", "_open", "_waiters")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._open = True
        self._waiters: list[asyncio.Future[None]] | None = None

    def is_set(self) -> bool:
        """Tell whether it is open."""
        return self._open

    def set(self) -> None:
        """Open it, and let all who wait through."""
        self._open = True
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    def clear(self) -> None:
        """Shut it."""
        self._open = False

    async def wait(self) -> None:
        """Wait until it is open."""
        while not self._open:
            waiter = self._loop.create_future()
            # Those whose tasks were cancelled are done.
            self._waiters = [*(each for each in self._waiters or () if not each.done()), waiter]
            await waiter
