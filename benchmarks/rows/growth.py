"""Whether a delivery costs the same with 100 and with 5,000 subscribers: unstored messages, window 8.

The peer is Chorus itself with 500. (That memory grows in a straight line is in the row `memory`.)
"""

from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks.load.generator import Load
from benchmarks.load.patterns import fan_out
from benchmarks.results import Goal, Sample
from benchmarks.rows.fanout import connect
from benchmarks.servers import Bench

TITLE = "Cost as the audience grows"
UNIT = "deliveries/s"
SUBSCRIBERS = (100, 500, 1000, 2000, 5000)
WINDOW = 8


def case(subscribers: int) -> str:
    """How a case is called."""
    return f"{subscribers:,} subscribers"


GROWN = [count for count in SUBSCRIBERS if count != 500]
GOALS = (
    *(Goal(case(count), 0.8, "Chorus", peer_case=case(500)) for count in GROWN),
    *(Goal(case(count), 1.2, "Chorus", best="most", peer_case=case(500)) for count in GROWN),
)


def run(bench: Bench) -> Iterator[Sample]:
    """Sizes by turns, each on a server of its own; and the bare library, to see what the machine does."""
    with ExitStack() as stack:
        load = stack.enter_context(Load())
        connected = []
        for count in SUBSCRIBERS:
            for server in (bench.websockets, bench.chorus):
                target = stack.enter_context(server())
                connected.append((count, target, connect(load, target, "broadcast", count)))
        for _ in range(bench.rounds):
            for count, target, connections in connected:
                value, notes = fan_out(load, target.pid, connections, target.payload, WINDOW, bench.seconds)
                yield Sample(case(count), target.name, value, notes)
