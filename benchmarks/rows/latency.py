"""How long a message takes at a rate that every fast server can keep: 140 a second to 500 subscribers, unstored.

Peer: the bare `websockets` library. The time of a delivery is from the moment the message was due until the read that
brought it, so what waits in the load generator is in it, for both alike. The value is the 99th percentile, in ms. The
subscribers send by turns, so that every limit can be the default.
"""

from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks.load.generator import Load
from benchmarks.load.patterns import at_rate
from benchmarks.results import Goal, Sample
from benchmarks.rows.fanout import connect
from benchmarks.servers import Bench

TITLE = "Latency at 70,000 deliveries/s"
UNIT = "ms (p99)"
SUBSCRIBERS = 500
PER_SECOND = 140
SECONDS = 4
"""As many times as long as a throughput is measured: a percentile needs more."""
CASE = f"{SUBSCRIBERS * PER_SECOND:,} deliveries/s"
GOALS = (
    Goal(CASE, 1, "websockets", best="most", of="p50"),
    Goal(CASE, 1, "websockets", best="most", of="p99"),
    Goal(CASE, 0.7, "websockets", best="most", of="server_cpu"),
)


def run(bench: Bench) -> Iterator[Sample]:
    """The two by turns."""
    with ExitStack() as stack:
        load = stack.enter_context(Load())
        targets = [stack.enter_context(server) for server in (bench.websockets(), bench.chorus(), bench.starlette())]
        connected = [(target, connect(load, target, "broadcast", SUBSCRIBERS)) for target in targets]
        for _ in range(bench.rounds):
            for target, connections in connected:
                seconds = SECONDS * bench.seconds
                notes = at_rate(load, target.pid, [connections], str(target.payload), PER_SECOND, seconds)
                yield Sample(CASE, target.name, notes["p99"], notes)
