"""Whether a delivery costs the same with 100 and with 5,000 subscribers: unstored messages, window 8.

The peer is Chorus itself with 500. Beside it the bare library, and servers in C: the least that a server can do, which
writes as Chorus does, and nginx with nchan. They show what the machine does: thousands of sockets no longer fit the
processor's caches, whatever the server is written in. (That memory grows in a straight line is in the row `memory`.)
The one publisher's command rate is raised.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial

from benchmarks.load.generator import Load
from benchmarks.load.patterns import fan_out
from benchmarks.others import LEAST, installed
from benchmarks.results import Goal, Sample
from benchmarks.rounds import turn
from benchmarks.rows.fanout import connect
from benchmarks.servers import SENDING, Bench, Target

TITLE = "Cost as the audience grows"
UNIT = "deliveries/s"
SUBSCRIBERS = (100, 500, 1000, 2000, 5000)
SUBSCRIBERS_IN_C = (500, 5000)
WINDOW = 8

Server = Callable[[], AbstractContextManager[Target]]


def case(subscribers: int) -> str:
    """How a case is called."""
    return f"{subscribers:,} subscribers"


GROWN = [count for count in SUBSCRIBERS if count != 500]
GOALS = tuple(Goal(case(count), 0.8, "Chorus", of="per_cpu", peer_case=case(500)) for count in GROWN)


def run(bench: Bench) -> Iterator[Sample]:
    """Sizes by turns, each on a server of its own; those in C afterwards, since the load has no more files."""
    ours = (bench.websockets, partial(bench.chorus, limits=SENDING))
    yield from _measure(bench, [(count, server) for count in SUBSCRIBERS for server in ours])
    in_c = installed("broadcast", LEAST, "nginx, nchan")
    yield from _measure(bench, [(count, server) for count in SUBSCRIBERS_IN_C for server in in_c])


def _measure(bench: Bench, servers: list[tuple[int, Server]]) -> Iterator[Sample]:
    with ExitStack() as stack:
        load = stack.enter_context(Load())
        connected = []
        for count, server in servers:
            target = stack.enter_context(server())
            connected.append((count, target, connect(load, target, "broadcast", count)))
        for _ in range(bench.rounds):
            for count, target, connections in connected:
                measure = partial(fan_out, load, target.pid, connections, target.payload, WINDOW, bench.seconds)
                yield from turn(bench, target, case(count), measure, afterwards=partial(load.close, connections))
