"""Messages in a chat room, each stored before anyone gets it, from one publisher to 500 readers: deliveries per second.

Chorus on SQLite (`synchronous=FULL`) and on PostgreSQL (`fsync=on`, on the load's core). Peer: the bare `websockets`
library's `broadcast`, which stores nothing. A text has 128 bytes; Chorus' event around it makes it about 300. The
window is how many messages the publisher has under way. What the commit costs: compare with the row `fanout`.
"""

from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks.load.generator import Load
from benchmarks.load.patterns import fan_out
from benchmarks.results import Goal, Sample
from benchmarks.rows.fanout import connect
from benchmarks.servers import Bench

TITLE = "Fan-out of stored chat messages"
UNIT = "deliveries/s"
SUBSCRIBERS = 500
WINDOWS = (1, 8)
DATABASES = ("SQLite", "PostgreSQL")


def case(window: int) -> str:
    """How a case is called."""
    return f"{SUBSCRIBERS} subscribers, window {window}"


GOALS = tuple(
    Goal(case(window), ratio, "websockets", server=f"Chorus, {database}")
    for window, ratio in ((1, 0.8), (8, 2.0))
    for database in DATABASES
)


def run(bench: Bench) -> Iterator[Sample]:
    """Both databases beside the bare library."""
    with ExitStack() as stack:
        targets = [stack.enter_context(bench.websockets())]
        for database in DATABASES:
            target = stack.enter_context(bench.chorus(database))
            target.name = f"Chorus, {database}"
            targets.append(target)
        load = stack.enter_context(Load())
        connected = [(target, connect(load, target, "room", SUBSCRIBERS)) for target in targets]
        for _ in range(bench.rounds):
            for window in WINDOWS:
                for target, connections in connected:
                    value, notes = fan_out(load, target.pid, connections, target.payload, window, bench.seconds)
                    yield Sample(case(window), target.name, value, notes)
