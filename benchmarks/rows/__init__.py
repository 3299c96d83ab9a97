"""The rows of the table, in its order; each is a module that says what it measures and what it is compared with.

A row has `TITLE`, `UNIT`, `GOALS` and `run(bench)`, which yields its samples, round after round: in each round every
server has its turn, so that whatever else the machine does meets all of them.
"""

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Protocol, cast

from benchmarks.results import Goal, Sample
from benchmarks.servers import Bench

NAMES = (
    "ceiling",
    "fanout",
    "chat",
    "latency",
    "echo",
    "stored",
    "clicks",
    "memory",
    "many",
    "connects",
    "slow_readers",
    "workers",
    "growth",
    "rooms",
    "replay",
)


class RowModule(Protocol):
    """What each of these modules has."""

    __doc__: str | None
    TITLE: str
    UNIT: str
    GOALS: Sequence[Goal]
    run: Callable[[Bench], Iterable[Sample]]


def row(name: str) -> RowModule:
    """A row by its name; raises KeyError where there is none."""
    if name not in NAMES:
        raise KeyError(name)
    return cast(RowModule, import_module(f"benchmarks.rows.{name}"))
