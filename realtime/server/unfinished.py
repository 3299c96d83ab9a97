"""Connections whose request has not come to its end: bounded for a network and for the process.

Where there are too many the oldest goes, not the one that comes: whoever sends a request is served, however many
others only hold a connection open.
"""

import logging
from collections.abc import Hashable
from typing import Protocol

from realtime.limits import Throttle
from realtime.log import log
from realtime.peer import is_trusted, network_around, read_address
from realtime.per_loop import PerLoop

PER_NETWORK = 100
"""Unfinished requests of one network; trusted proxies ask for many."""
SHARE_OF_FILES = 4
"""Of the files that the process may have open, one in so many may be an unfinished request."""
LOGGED_SECONDS = 60.0

logger = logging.getLogger("chorus.http")


class Waiting(Hashable, Protocol):
    """A connection that waits for the rest of a request."""

    def give_up(self) -> None:
        """End it."""


class Unfinished:
    """Those connections, in the order in which they came."""

    def __init__(self) -> None:
        self._all: dict[Waiting, str] = {}
        self._networks: dict[str, dict[Waiting, None]] = {}
        self._most = max(PER_NETWORK, _files() // SHARE_OF_FILES)
        self._throttle = Throttle()

    def add(self, waiting: Waiting, address: str) -> None:
        """Wait for one more; the oldest is given up where that is one too many."""
        network = network_around(address)
        self._all[waiting] = network
        of_network = self._networks.setdefault(network, {})
        of_network[waiting] = None
        ip = read_address(address)
        if len(of_network) > PER_NETWORK and not (ip is not None and is_trusted(ip)):
            self._give_up(next(iter(of_network)), address)
        elif len(self._all) > self._most:
            self._give_up(next(iter(self._all)), address)

    def discard(self, waiting: Waiting) -> None:
        """It is finished, or gone."""
        network = self._all.pop(waiting, None)
        if network is None:
            return
        of_network = self._networks[network]
        del of_network[waiting]
        if not of_network:
            del self._networks[network]

    def expire(self, waiting: Waiting, address: str) -> None:
        """It has waited too long."""
        if waiting in self._all:
            self._give_up(waiting, address)

    def _give_up(self, waiting: Waiting, address: str) -> None:
        self.discard(waiting)
        if self._throttle.passes("unfinished", LOGGED_SECONDS):
            log(logger, "closed: a request did not come to its end (told once a minute)", address=address)
        waiting.give_up()


def _files() -> int:
    """How many files this process may have open."""
    try:
        import resource  # which Windows has not
    except ImportError:
        return 4096
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


unfinished: PerLoop[Unfinished] = PerLoop(Unfinished)
