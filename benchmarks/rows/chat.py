"""Messages in a chat room, each stored before anyone gets it, from one publisher to 500 readers: deliveries per second.

Chorus on SQLite (`synchronous=FULL`) and on PostgreSQL (`fsync=on`, on the load's core); the one publisher's command
rate is raised. Peer: the bare `websockets` library's `broadcast`, which stores nothing. A text has 128 bytes; Chorus'
event around it makes it about 300. The window is how many messages the publisher has under way. What the commit costs:
compare with the row `fanout`. Where one message is waited for at a time, the server waits for the disk, or for
PostgreSQL, in each round: no side is saturated, and the figure for each second of CPU is the one to look at.
"""

from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks.results import Goal, Sample
from benchmarks.rows.fanout import WINDOWS, case, fan_outs
from benchmarks.servers import SENDING, Bench

TITLE = "Fan-out of stored chat messages"
UNIT = "deliveries/s"
SUBSCRIBERS = 500
DATABASES = ("SQLite", "PostgreSQL")
LEAST = {(1, "SQLite"): 0.9, (1, "PostgreSQL"): 0.8, (8, "SQLite"): 4.0, (8, "PostgreSQL"): 4.0}
GOALS = tuple(
    Goal(case(SUBSCRIBERS, window), ratio, "websockets", server=f"Chorus, {database}", of="per_cpu")
    for (window, database), ratio in LEAST.items()
)


def run(bench: Bench) -> Iterator[Sample]:
    """Both databases beside the bare library."""
    with ExitStack() as stack:
        targets = [stack.enter_context(bench.websockets())]
        for database in DATABASES:
            target = stack.enter_context(bench.chorus(database, limits=SENDING))
            target.name = f"Chorus, {database}"
            targets.append(target)
        yield from fan_outs(bench, targets, "room", SUBSCRIBERS, WINDOWS, case)
