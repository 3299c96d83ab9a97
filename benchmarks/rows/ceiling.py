"""What the load generator can read at all, from a program that only writes ready-made frames to 500 sockets.

A figure of another row near this one is the generator's, not the server's. There is no peer.
"""

from collections.abc import Iterator

from benchmarks.load.generator import Load
from benchmarks.load.patterns import WARM_UP_SECONDS, Meter
from benchmarks.load.wire import client_frame
from benchmarks.results import Goal, Sample
from benchmarks.servers import Bench

TITLE = "The load generator's ceiling"
UNIT = "messages/s"
GOALS: tuple[Goal, ...] = ()
BURSTS = (1, 8)


def run(bench: Bench) -> Iterator[Sample]:
    """A burst is how many frames go in one write."""
    with bench.blaster() as target:
        for _ in range(bench.rounds):
            for burst in BURSTS:
                with Load() as load:
                    first, *_ = target.open(load, "any", 500)
                    first.send(client_frame(str(burst)))
                    load.run(WARM_UP_SECONDS)
                    meter = Meter(load, target.pid)
                    load.run(bench.seconds)
                    seconds, frames, notes = meter.stop()
                    first.send(client_frame("stop"))
                    load.wait_quiet(0.2)
                yield Sample(f"{burst} in a write", target.name, frames / seconds, notes)
