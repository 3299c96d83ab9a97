"""Limits on what one client may send at once, and on how often something may happen; rates are in realtime.rates."""

import ipaddress
import time

from django.conf import settings

from realtime.conf import conf
from realtime.protocol import Close, CloseCode, Refused
from realtime.words import counted


def is_own_machine(network: str) -> bool:
    """Tell whether a client is this machine's own, and in development: limits of a network do not count there."""
    if not settings.DEBUG:
        return False
    try:
        return ipaddress.ip_address(network).is_loopback
    except ValueError:
        return False


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


def check_length(said: str | bytes) -> None:
    """Raise Refused `too_long` for a text of more than CHORUS_MAX_TEXT characters, or binary of more bytes."""
    if conf.max_text and len(said) > conf.max_text:
        unit = "char" if isinstance(said, str) else "byte"
        raise Refused("too_long", f"Message too long (max {counted(conf.max_text, unit)})")


def size_of(frame: str | bytes | None) -> int:
    """How many bytes a frame has."""
    if not frame:
        return 0
    return len(frame) if isinstance(frame, bytes) or frame.isascii() else len(frame.encode())


def check_size(frame: str | bytes) -> None:
    """Close with 1009 for a frame that has more bytes than a client may send at once."""
    limit = conf.max_frame_bytes
    if limit and len(frame) > limit // 4 and size_of(frame) > limit:  # a character has at most four bytes
        raise Close(CloseCode.TOO_BIG, "frame too big")
