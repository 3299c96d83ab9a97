"""The work that mends holes: one at a time for each stream, again and again until nothing is missing."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from realtime import db

FIRST_DELAY, LONGEST_DELAY = 0.25, 5.0
"""Seconds until a database that did not answer is asked again."""

logger = logging.getLogger("chorus.live")


class Repair:
    """Runs `page` in the background until it returns True: then nothing was missing when it was last asked for."""

    def __init__(self, what: str, page: Callable[[], Awaitable[bool]]) -> None:
        self._what = what
        self._page = page
        self._working: asyncio.Task[None] | None = None
        self._asked = False
        """It was asked for since the latest page began."""

    def ask(self) -> asyncio.Task[None]:
        """Begin, unless it is under way; then it reads once more."""
        self._asked = True
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        return self._working

    async def done(self) -> None:
        """Ask for it and wait until it is through; raises Unavailable if the database does not answer."""
        done, _ = await asyncio.wait({self.ask()}, timeout=db.WAIT_SECONDS)
        if not done:
            raise db.Unavailable("the database did not answer in time")

    async def _work(self) -> None:
        delay = FIRST_DELAY
        try:
            while True:
                # What is asked for while a read is under way may not be in it, so it is read again.
                self._asked = False
                try:
                    if await self._page() and not self._asked:
                        return
                except db.Unavailable:
                    await asyncio.sleep(delay * random.uniform(0.5, 1.5))
                    delay = min(delay * 2, LONGEST_DELAY)
        except Exception:
            logger.exception("repair of %s failed; the next check tries again", self._what)
        finally:
            self._working = None

    def close(self) -> None:
        """Stop what runs in the background."""
        if self._working is not None:
            self._working.cancel()
