"""The threads and database connections that the work of sockets runs on.

Sockets never use bare async ORM calls: those share one thread with every other socket and view, and a
connection opened there outlives its request. Here each thread keeps one connection of its own.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import Error, InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from realtime.conf import conf

P = ParamSpec("P")
T = TypeVar("T")

WAIT_SECONDS = 5.0
"""How long a socket waits for the database; longer would starve its pongs too."""

logger = logging.getLogger("chorus.db")


class Unavailable(Exception):
    """The database did not answer in time or the connection broke; the outcome of a write is unknown."""


class Threads:
    """A few threads for database work, each with its own connections, kept open between calls."""

    def __init__(self, size: int, name: str) -> None:
        self._executor = ThreadPoolExecutor(size, thread_name_prefix=f"chorus-{name}")
        self._opened: set[BaseDatabaseWrapper] = set()

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a synchronous function in one of the threads and return what it returns.

        Raises Unavailable after WAIT_SECONDS (the thread works on, its result is dropped) and when the
        connection is lost or the database is locked, full or shutting down; other errors pass through.
        """
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._executor, lambda: self._call(function, *args, **kwargs))
        try:
            return await asyncio.wait_for(future, WAIT_SECONDS)
        except TimeoutError:
            raise Unavailable("the database did not answer in time") from None
        except (OperationalError, InterfaceError) as error:
            logger.warning("database unavailable: %s", str(error).strip().partition("\n")[0])
            raise Unavailable(str(error)) from error

    def _call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except Error:
            # What an error leaves behind is not reused: the next call connects anew, also after a restart.
            for connection in connections.all(initialized_only=True):
                connection.close()
            raise
        finally:
            self._opened.update(connections.all(initialized_only=True))

    def close(self) -> None:
        """Wait for running work, end the threads and close their connections."""
        self._executor.shutdown(wait=True)
        for connection in self._opened:
            connection.inc_thread_sharing()
            connection.close()
            connection.dec_thread_sharing()


_readers: Threads | None = None


async def run(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run synchronous database work of a socket in this process's reader threads; see Threads.run."""
    global _readers
    if _readers is None:
        _readers = Threads(conf.db_threads, "reader")
    return await _readers.run(function, *args, **kwargs)


def close() -> None:
    """Close the reader threads and their connections; the next `run` makes new ones."""
    global _readers
    if _readers is not None:
        _readers.close()
        _readers = None
