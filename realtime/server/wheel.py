"""One timer for all connections of an event loop: what each of them waits for is looked at when its time comes."""

import asyncio
from typing import Protocol

from realtime.per_loop import PerLoop

TICK_SECONDS = 0.25
"""How late a connection may be looked at. What has to be on time has a timer of its own."""


class Timed(Protocol):
    """What can be put on the wheel."""

    tick: int
    """The tick in which it is due; set by the wheel, and by whoever waits for nothing any more to NEVER."""

    def on_time(self) -> None:
        """Called when its time has come."""


NEVER = -1


class Wheel:
    """Connections by the tick in which they are due.

    A timer of the loop for each connection would be several hundred bytes; an entry here is a reference. What is put
    off, or on again, leaves its entry where it was: an entry counts in the tick that its connection names.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ticks: dict[int, list[Timed]] = {}
        self._turning = False
        self._last = 0
        """The tick that was turned last."""

    def put(self, timed: Timed, seconds: float) -> None:
        """Call it in so many seconds, and no more at the time that was set before."""
        now = self._loop.time()
        if not self._turning:
            self._turning, self._last = True, int(now / TICK_SECONDS)
            self._loop.call_later(TICK_SECONDS, self._turn)
        timed.tick = max(int((now + seconds) / TICK_SECONDS), self._last) + 1
        self._ticks.setdefault(timed.tick, []).append(timed)

    def _turn(self) -> None:
        first, self._last = self._last + 1, int(self._loop.time() / TICK_SECONDS)
        for tick in range(first, self._last + 1):
            for timed in self._ticks.pop(tick, ()):
                if timed.tick == tick:
                    timed.tick = NEVER
                    timed.on_time()
        self._turning = bool(self._ticks)
        if self._turning:
            self._loop.call_later(TICK_SECONDS, self._turn)


wheel: PerLoop[Wheel] = PerLoop(Wheel)
