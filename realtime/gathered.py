"""Natural batching of what sockets ask of the database: what is wanted while one query runs goes into the next."""

import asyncio
from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

from realtime import db
from realtime.per_loop import PerLoop

MOST = 500
"""Keys in one call at most."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Gathered(Generic[K, V]):
    """Calls `work`, a synchronous function, with all keys that are wanted at the moment, each once.

    `work` gives a value for each key that has one. An idle one is called at once, for one key; after a call
    `pause` seconds pass before the next, for what is in no hurry.
    """

    def __init__(self, work: Callable[[list[K]], Mapping[K, V]], *, pause: float = 0.0) -> None:
        self._turns = PerLoop(lambda: _Turn(work, pause))

    async def get(self, key: K) -> V | None:
        """The value of a key, or None. Raises Unavailable as db.run does, and whatever `work` raises."""
        wanted: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._turns.here().want(key, wanted)
        return await wanted

    def soon(self, key: K) -> None:
        """Have `work` called with the key, soon; what becomes of it is of no interest here."""
        self._turns.here().want(key, None)


class _Turn(Generic[K, V]):
    """What waits on one event loop."""

    def __init__(self, work: Callable[[list[K]], Mapping[K, V]], pause: float) -> None:
        self._work, self._pause = work, pause
        self._wanted: dict[K, list[asyncio.Future[V | None]]] = {}
        self._running: asyncio.Task[None] | None = None

    def want(self, key: K, future: "asyncio.Future[V | None] | None") -> None:
        """Have the key in the next call, and the future told of its value."""
        futures = self._wanted.setdefault(key, [])
        if future is not None:
            futures.append(future)
        if self._running is None:
            self._running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._wanted:
                keys = list(self._wanted)[:MOST]
                taken = {key: self._wanted.pop(key) for key in keys}
                try:
                    values = await db.run(self._work, keys)
                except Exception as error:  # noqa: BLE001 - told to everyone who asked
                    for future in (each for futures in taken.values() for each in futures if not each.done()):
                        future.set_exception(error)
                else:
                    for key, futures in taken.items():
                        for future in (each for each in futures if not each.done()):  # its task may have been cancelled
                            future.set_result(values.get(key))
                if self._pause:
                    await asyncio.sleep(self._pause)
        finally:
            self._running = None
