"""Two workers over Redis against one: deliveries per second of unstored messages to 500 subscribers, window 8.

The peer is Chorus with one worker. On a machine with three cores or more each worker has one of its own beside the
load's. With two there is none left for the second worker: then both share the server's core, and what two cores would
give is reckoned from the CPU time that a delivery costs (case `for each core`: deliveries per second of server CPU,
times the workers). Redis runs on the load's core.
The one publisher's command rate is raised.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from benchmarks.load.generator import Load
from benchmarks.load.patterns import fan_out
from benchmarks.machine import CORES, SERVER_CORES
from benchmarks.results import Goal, Sample
from benchmarks.rounds import until_saturated
from benchmarks.rows.fanout import connect
from benchmarks.servers import SENDING, Bench

TITLE = "Two workers over Redis"
UNIT = "deliveries/s"
SUBSCRIBERS = 500
WINDOW = 8
SEEN, RECKONED = "as measured", "for each core"
ONE, TWO = "One worker", "Two workers"
GOALS = (
    Goal(SEEN, 1.7, ONE, server=TWO),
    Goal(RECKONED, 1.7, ONE, server=TWO),
)


def run(bench: Bench) -> Iterator[Sample]:
    """One and two by turns."""
    cores = set(CORES[1:]) if len(CORES) > 2 else SERVER_CORES
    with ExitStack() as stack:
        load = stack.enter_context(Load())
        connected = []
        for name, workers in ((ONE, 1), (TWO, 2)):
            target = stack.enter_context(bench.chorus(workers=workers, cores=cores, limits=SENDING))
            connected.append((name, workers, target, connect(load, target, "broadcast", SUBSCRIBERS)))
        for _ in range(bench.rounds):
            for name, workers, target, connections in connected:
                measure = partial(fan_out, load, target.pid, connections, target.payload, WINDOW, bench.seconds)
                value, notes = until_saturated(measure)
                yield Sample(SEEN, name, value, notes)
                yield Sample(RECKONED, name, workers * notes["per_cpu"], notes)
