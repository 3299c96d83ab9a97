"""Memory of the server for each idle connection in a room, up to 10,000 connections, each another user's.

Chorus: a chat room, logged in by token; every limit is the default. Peers: Channels, logged in by token and in the
group of a room; the bare `websockets` library without compression and all others in their one group, without a login.
It is the process's own memory (PSS) above what it used with 50 connections; what the kernel holds for a socket is not
in it. Each server is new.
"""

from collections.abc import Iterator

from benchmarks.load.generator import Load, LoadError
from benchmarks.machine import raise_open_files
from benchmarks.others import installed
from benchmarks.results import Goal, Sample
from benchmarks.servers import Bench, Target

TITLE = "Memory of an idle connection"
UNIT = "KB"
STEPS = (1000, 2500, 5000, 10_000)
FIRST = 50
SPARE_FILES = 100
ROUNDS = 1
"""Opening 10,000 connections five times takes as long as other rows together. Two runs differed by 2 %."""


def case(connections: int) -> str:
    """How a case is called."""
    return f"{connections:,} connections"


GOALS = (
    Goal(case(STEPS[-1]), 8, "", best="most"),
    Goal(case(STEPS[-1]), 0.6, "websockets", best="most"),
    Goal(case(STEPS[-1]), 0.5, "Channels, Uvicorn", best="most"),
    Goal(case(STEPS[-1]), 0.5, "Channels, Daphne", best="most"),
    # Linear: the last connection costs what an early one costs.
    Goal(case(STEPS[-1]), 1.2, "Chorus", best="most", peer_case=case(STEPS[0])),
)


def run(bench: Bench) -> Iterator[Sample]:
    """One server after another, so that none is measured while another holds its sockets."""
    for _ in range(ROUNDS):
        servers = (bench.websockets, bench.chorus, bench.starlette, bench.stock, lambda: bench.stock("Daphne"))
        for server in (*servers, *installed("room")):
            with server() as target:
                try:
                    yield from _grow(target)
                except LoadError as error:
                    if target.name == "Chorus":
                        raise
                    bench.left_out[target.name] = str(error)


def _grow(target: Target) -> Iterator[Sample]:
    most = raise_open_files() - SPARE_FILES
    with Load() as load:
        target.open(load, "room", FIRST)
        load.wait_quiet()
        before, opened = target.memory, FIRST
        for step in (step for step in STEPS if step <= most):
            target.open(load, "room", step - opened, first=opened)
            opened = step
            load.wait_quiet(1.0)
            target.wait_idle()
            grown = target.memory - before
            yield Sample(case(step), target.name, grown / 1000 / (step - FIRST), {"total_mb": grown / 1e6})
