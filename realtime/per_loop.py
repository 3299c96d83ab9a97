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

    def here(self) -> T_co:
        """The running loop's."""
        loop = asyncio.get_running_loop()
        found = self._found.get(loop)
        if found is None:
            found = self._found[loop] = self._make()
        return found

    def take(self) -> T_co | None:
        """The running loop's, if there is one, which is none of it from now on: for whoever closes it."""
        return self._found.pop(asyncio.get_running_loop(), None)

    def running(self) -> list[tuple[asyncio.AbstractEventLoop, T_co]]:
        """Those of loops that run, with their loops, for code in other threads; none in a shell or a task queue."""
        return [(loop, found) for loop, found in list(self._found.items()) if loop.is_running()]
