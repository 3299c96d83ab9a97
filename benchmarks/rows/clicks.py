"""Clicks on one counter, acknowledged per second: 200 people, each waiting for the answer to their last click.

Chorus, every change also shown to all 200. Peers: the same commit with one click in each transaction, in a loop without
any socket; and Channels with a consumer that adds to one row for each click and tells its sender only. SQLite with
`synchronous=FULL`, PostgreSQL with `fsync=on`. The clickers' command rate is raised: 27 a second each. Goals are by the
clock: one transaction after another waits for the disk, so its CPU says nothing.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from benchmarks.load.generator import Load
from benchmarks.load.patterns import calls
from benchmarks.results import Goal, Sample
from benchmarks.rounds import turn
from benchmarks.rows.fanout import connect
from benchmarks.servers import SENDING, Bench

TITLE = "Counter clicks acknowledged"
UNIT = "clicks/s"
CLICKERS = 200
COMMAND = json.dumps({"action": "add", "delta": 1, "id": "%s"})
DATABASES = ("SQLite", "PostgreSQL")
ONE_BY_ONE = "One by one"
GOALS = (*(Goal(database, 10, ONE_BY_ONE) for database in DATABASES), Goal("SQLite", 10, "Channels, Uvicorn"))


def run(bench: Bench) -> Iterator[Sample]:
    """Both databases by turns, then the peers."""
    with ExitStack() as stack:
        load = stack.enter_context(Load())
        targets = {database: stack.enter_context(bench.chorus(database, limits=SENDING)) for database in DATABASES}
        alone = {database: stack.enter_context(bench.one_by_one(database, "click")) for database in DATABASES}
        stock = stack.enter_context(bench.stock())
        connected = {database: connect(load, target, "counter", CLICKERS) for database, target in targets.items()}
        at_stock = connect(load, stock, "click", CLICKERS)
        for _ in range(bench.rounds):
            for database, target in targets.items():
                measure = partial(calls, load, target.pid, connected[database], COMMAND, bench.seconds)
                yield from turn(bench, target, database, measure)
                yield Sample(database, ONE_BY_ONE, alone[database](bench.seconds))
            yield from turn(bench, stock, "SQLite", partial(calls, load, stock.pid, at_stock, COMMAND, bench.seconds))
