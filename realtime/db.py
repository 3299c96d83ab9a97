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

WAITING = 200
"""Calls that may wait for the threads of `run_apart`: more could not be answered in WAIT_SECONDS."""

logger = logging.getLogger("chorus.db")


class Unavailable(Exception):
    """The database did not answer in time or the connection broke; the outcome of a write is unknown."""


class Threads:
    """A few threads for database work, each with its own connections, kept open between calls."""

    def __init__(self, size: int, name: str, waiting: int | None = None) -> None:
        """`waiting`: how many calls may wait for a thread, from one event loop; None: any number."""
        self._executor = ThreadPoolExecutor(size, thread_name_prefix=f"chorus-{name}")
        self._most = None if waiting is None else size + waiting
        self._under_way = 0
        self._opened: set[BaseDatabaseWrapper] = set()

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a synchronous function in one of the threads and return what it returns.

        Raises Unavailable after WAIT_SECONDS (the thread works on, its result is dropped) and when the
        connection is lost or the database is locked, full or shutting down; other errors pass through.
        """
        if self._most is not None and self._under_way >= self._most:
            raise Unavailable("too much waits for the database")
        self._under_way += 1
        try:
            return await self._run(function, *args, **kwargs)
        finally:
            self._under_way -= 1

    async def _run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
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


_pools: dict[str, Threads] = {}


async def run(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run synchronous database work of a socket in this process's reader threads; see Threads.run.

    For what is short and what others wait for: logins, rights, joins, repairs.
    """
    return await _pool("reader", conf.db_threads).run(function, *args, **kwargs)


async def run_apart(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run work that may be long in threads of its own, so that it delays no join: pages of history, lists, pruning.

    Raises Unavailable at once while WAITING others wait; see Threads.run for the rest.
    """
    return await _pool("history", conf.history_threads, WAITING).run(function, *args, **kwargs)


def _pool(name: str, size: int, waiting: int | None = None) -> Threads:
    pool = _pools.get(name)
    if pool is None:
        pool = _pools[name] = Threads(size, name, waiting)
    return pool


def close() -> None:
    """Close all these threads and their connections; what is run next makes new ones."""
    while _pools:
        _pools.popitem()[1].close()
