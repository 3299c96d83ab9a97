"""Limits on what one client may send, and on how often something may happen. Counted per process."""

import time
from collections import deque
from typing import ClassVar

from realtime.conf import conf
from realtime.protocol import CloseCode, Refused

STRIKES = 3
STRIKE_SECONDS = 60.0
PINGS_PER_SECOND, PING_BURST = 5.0, 20
"""Pings that one socket may send; a client of ours sends one in 20 s of silence."""


class CommandRate:
    """A token bucket for one socket: `command_burst` at once, `command_rate` per second in the long run."""

    __slots__ = ("_at", "_left", "_strikes")

    what: ClassVar[str] = "messages"

    def __init__(self) -> None:
        self._left = float(self.allowed()[1])
        self._at = time.monotonic()
        self._strikes: deque[float] | None = None

    def allowed(self) -> tuple[float, int]:
        """How many in a second, and how many at once; 0: any number."""
        return conf.command_rate, conf.command_burst

    def take(self) -> None:
        """Count one command.

        Raises Refused `rate_limited`, with the seconds until there is room; the third time within a minute
        also closes the socket.
        """
        rate, burst = self.allowed()
        if not rate or not burst:
            return
        now = time.monotonic()
        self._left = min(self._left + (now - self._at) * rate, float(burst))
        self._at = now
        if self._left >= 1:
            self._left -= 1
            return
        strikes = self._strikes = self._strikes or deque()
        strikes.append(now)
        while now - strikes[0] > STRIKE_SECONDS:
            strikes.popleft()
        raise Refused(
            "rate_limited",
            f"Too many {self.what} (max {rate:g} per second)",
            retry_after=round((1 - self._left) / rate, 3),
            close=CloseCode.RATE if len(strikes) >= STRIKES else None,
        )


class PingRate(CommandRate):
    """The same for pings, which no setting frees: each is answered."""

    __slots__ = ()

    what = "pings"

    def allowed(self) -> tuple[float, int]:
        """PINGS_PER_SECOND, PING_BURST."""
        return PINGS_PER_SECOND, PING_BURST


class Throttle:
    """Lets one thing through at most once in some seconds."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def passes(self, what: str, seconds: float) -> bool:
        """Tell whether `what` may happen now; if so it may not again for `seconds`."""
        now = time.monotonic()
        if self._until.get(what, 0.0) > now:
            return False
        if len(self._until) > 1000:
            self._until = {name: until for name, until in self._until.items() if until > now}
        self._until[what] = now + seconds
        return True


def check_length(text: str) -> None:
    """Raise Refused `too_long` if a text is longer than CHORUS_MAX_TEXT characters."""
    if conf.max_text and len(text) > conf.max_text:
        raise Refused("too_long", f"Message too long (max {conf.max_text} chars)")


def size_of(frame: str | bytes | None) -> int:
    """How many bytes a frame has."""
    if not frame:
        return 0
    return len(frame) if isinstance(frame, bytes) or frame.isascii() else len(frame.encode())


def too_big(frame: str | bytes | None) -> bool:
    """Tell whether a frame has more bytes than a client may send at once."""
    limit = conf.max_frame_bytes
    if not limit or not frame or len(frame) <= limit // 4:  # a character has at most four bytes
        return False
    return size_of(frame) > limit
