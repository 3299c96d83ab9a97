"""A wall clock that jumps. With this directory on PYTHONPATH a Python process adds what it finds in a file.

The file that CLOCK_FILE names holds the seconds to add, a double in native order; it is read at every look at the
clock. `time.time`, `time.time_ns`, `datetime.now`, `utcnow` and `today` jump. What asks the C library by itself does
not: SQLite's own clock, and the monotonic one, which no wall clock moves.
"""

import datetime
import mmap
import os
import struct
import time
from pathlib import Path
from typing import Any

_DateTime = datetime.datetime
_time, _time_ns = time.time, time.time_ns


class _Kind(type):
    """What C code makes is of the class that was there before."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _DateTime)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, _DateTime)


def _jump(path: str) -> None:
    with Path(path).open("rb") as file:
        shift = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)

    def seconds() -> float:
        return float(struct.unpack_from("d", shift)[0])

    class JumpingDateTime(_DateTime, metaclass=_Kind):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return _DateTime.now(tz) + datetime.timedelta(seconds=seconds())

        @classmethod
        def utcnow(cls) -> Any:
            return _DateTime.now(datetime.UTC).replace(tzinfo=None) + datetime.timedelta(seconds=seconds())

        @classmethod
        def today(cls) -> Any:
            return cls.now()

    JumpingDateTime.__name__ = JumpingDateTime.__qualname__ = "datetime"
    datetime.datetime = JumpingDateTime  # type: ignore[misc]
    time.time = lambda: _time() + seconds()
    time.time_ns = lambda: _time_ns() + int(seconds() * 1e9)


if "CLOCK_FILE" in os.environ:
    _jump(os.environ["CLOCK_FILE"])
