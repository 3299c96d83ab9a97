"""What there is one of for each event loop: a server's process has one loop, tests have many."""

import asyncio
import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


class PerLoop(Generic[T_co]):
    """One for each event loop, made by `make` when it is first asked for; it goes with its loop."""

    def __init__(self, make: Callable[[], T_co]) -> None:
        self._make = make
        self._found: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, T_co] = weakref.WeakKeyDictionary()
        self._latest: tuple[weakref.ref[asyncio.AbstractEventLoop], T_co] | None = None
        """The loop that asked last, with its own: a process of one loop is asked several times for each connection."""

    def here(self) -> T_co:
        """The running loop's."""
        loop = asyncio.get_running_loop()
        latest = self._latest
        if latest is not None and latest[0]() is loop:
            return latest[1]
        found = self._found.get(loop)
        if found is None:
            found = self._found[loop] = self._make()
        self._latest = (weakref.ref(loop, self._forget), found)
        return found

    def _forget(self, _: object) -> None:
        self._latest = None

    def take(self) -> T_co | None:
        """The running loop's, if there is one, which is none of it from now on: for whoever closes it."""
        self._latest = None
        return self._found.pop(asyncio.get_running_loop(), None)

    def running(self) -> list[tuple[asyncio.AbstractEventLoop, T_co]]:
        """Those of loops that run, with their loops, for code in other threads; none in a shell or a task queue."""
        return [(loop, found) for loop, found in list(self._found.items()) if loop.is_running()]
