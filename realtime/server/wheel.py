"""One timer for all connections of an event loop: what each of them waits for is looked at when its time comes."""

import asyncio
import logging
from typing import Protocol

from realtime.per_loop import PerLoop

TICK_SECONDS = 0.25
"""How late a connection may be looked at. What has to be on time has a timer of its own."""
NEVER = -1

logger = logging.getLogger("chorus.serve")


class Timed(Protocol):
    """What can be put on the wheel."""

    tick: int
    """The tick in which it is due, or NEVER; the wheel sets it."""

    def on_time(self) -> None:
        """Called when its time has come."""


class Wheel:
    """Connections by the tick in which they are due; a timer of the loop for each would be several hundred bytes.

    Invariant: what is due stands in the tick that it names, and in no other.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ticks: dict[int, set[Timed]] = {}
        self._turning = False
        self._last = 0
        """The tick that was turned last."""

    def put(self, timed: Timed, seconds: float) -> None:
        """Call it in so many seconds, and no more at the time that was set before."""
        self.drop(timed)
        now = self._loop.time()
        if not self._turning:
            self._turning, self._last = True, int(now / TICK_SECONDS)
            self._loop.call_later(TICK_SECONDS, self._turn)
        timed.tick = max(int((now + seconds) / TICK_SECONDS), self._last) + 1
        due = self._ticks.get(timed.tick)
        if due is None:
            due = self._ticks[timed.tick] = set()
        due.add(timed)

    def drop(self, timed: Timed) -> None:
        """Call it no more."""
        due = self._ticks.get(timed.tick)
        if due is not None:
            due.discard(timed)
        timed.tick = NEVER

    def left(self, timed: Timed) -> float | None:
        """Seconds until it will be called; None: it is not waited for."""
        return None if timed.tick == NEVER else max(0.0, timed.tick * TICK_SECONDS - self._loop.time())

    def _turn(self) -> None:
        first, self._last = self._last + 1, int(self._loop.time() / TICK_SECONDS)
        for tick in range(first, self._last + 1):
            for timed in self._ticks.pop(tick, ()):
                if timed.tick == tick:  # else one that was called before it has dropped it
                    timed.tick = NEVER
                    self._call(timed)
        self._turning = bool(self._ticks)
        if self._turning:
            self._loop.call_later(TICK_SECONDS, self._turn)

    def _call(self, timed: Timed) -> None:
        try:
            timed.on_time()
        except Exception:  # of one connection, which must not stop the clock of all
            logger.exception("a connection's time came, and it failed")


wheel: PerLoop[Wheel] = PerLoop(Wheel)
