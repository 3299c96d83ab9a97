"""Messages that are not stored, from one publisher to all subscribers of one group: deliveries per second.

Chorus: `/ws/broadcast/` over the Redis layer. Peers: the bare `websockets` library's `broadcast`, Starlette, and
Channels as its tutorial has it. The window is how many messages the publisher has under way: sent, and not yet come
back to itself, for it is one of the subscribers. Messages have 128 bytes.
"""

from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks.load.generator import Connection, Load
from benchmarks.load.patterns import fan_out
from benchmarks.results import Goal, Sample
from benchmarks.servers import Bench, Target

TITLE = "Fan-out of unstored messages"
UNIT = "deliveries/s"
WINDOWS = (1, 8)


def case(subscribers: int, window: int) -> str:
    """How a case is called."""
    return f"{subscribers:,} subscribers, window {window}"


GOALS = (
    Goal(case(500, 1), 1.3, "websockets"),
    Goal(case(500, 8), 4, "websockets"),
    Goal(case(2000, 1), 1.3, "websockets"),
    Goal(case(2000, 8), 4, "websockets"),
    Goal(case(500, 1), 30, "Channels, Uvicorn"),
    Goal(case(500, 8), 30, "Channels, Uvicorn"),
    Goal(case(500, 8), 30, "Channels, Daphne"),
)


def run(bench: Bench) -> Iterator[Sample]:
    """All servers with 500 subscribers, the fast ones with 2,000."""
    with ExitStack() as stack:
        fast = [stack.enter_context(server) for server in (bench.websockets(), bench.chorus(), bench.starlette())]
        stock = [stack.enter_context(bench.stock(server)) for server in ("Uvicorn", "Daphne")]
        yield from _measure(bench, [*fast, *stock], 500)
        yield from _measure(bench, fast, 2000)


def _measure(bench: Bench, targets: list[Target], subscribers: int) -> Iterator[Sample]:
    with Load() as load:
        connected = [(target, connect(load, target, "broadcast", subscribers)) for target in targets]
        for _ in range(bench.rounds):
            for window in WINDOWS:
                for target, connections in connected:
                    value, notes = fan_out(load, target.pid, connections, target.payload, window, bench.seconds)
                    yield Sample(case(subscribers, window), target.name, value, notes)


def connect(load: Load, target: Target, work: str, count: int) -> list[Connection]:
    """Open connections and wait until the server has nothing more to tell them."""
    connections = target.open(load, work, count)
    load.wait_quiet()
    target.wait_idle()
    return connections
