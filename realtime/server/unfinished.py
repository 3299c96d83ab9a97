"""Connections whose request has not come to its end: bounded for a network and for the process.

Where there are too many the oldest goes, not the one that comes: whoever sends a request is served, however many
others only hold a connection open.
"""

import logging
from collections.abc import Hashable
from typing import Protocol

from realtime.addresses import network_around
from realtime.conf import conf
from realtime.limits import Throttle
from realtime.log import log
from realtime.peer import is_proxy
from realtime.per_loop import PerLoop

SHARE_OF_FILES, MOST_FILES, FEWEST = 4, 65536, 100
"""Of the files that the process may have open, of which so many count, one in four may be an unfinished request."""
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
        self._most = max(FEWEST, _files() // SHARE_OF_FILES)
        self._throttle = Throttle()

    def add(self, waiting: Waiting, address: str) -> None:
        """Wait for one more; the oldest is given up where that is one too many."""
        network = network_around(address)
        self._all[waiting] = network
        of_network = self._networks.setdefault(network, {})
        of_network[waiting] = None
        limit = conf.unfinished_per_address
        if limit and len(of_network) > limit and not is_proxy(address):
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
    """How many files this process may have open, as far as that counts."""
    try:
        import resource  # which Windows has not
    except ImportError:
        return 4096
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST_FILES if files == resource.RLIM_INFINITY else min(files, MOST_FILES)


unfinished: PerLoop[Unfinished] = PerLoop(Unfinished)
