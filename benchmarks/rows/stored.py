"""Messages stored and acknowledged per second: 200 senders, each waiting for the answer to its last.

Chorus, every message also delivered to those in the room: all 200 in one room, or in twenty rooms of ten; SQLite with
`synchronous=FULL`, PostgreSQL with `fsync=on`. Peers: the same commit with one message in each transaction, in a loop
without any socket (the most that one transaction per message can give); and Channels with a consumer that saves one
row for each message, answers its sender and tells nobody else (SQLite, as durable). The senders' command rate
is raised. Goals are by the clock: one transaction after another waits for the disk, so its CPU says nothing.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from benchmarks.load.generator import Connection, Load
from benchmarks.load.patterns import calls
from benchmarks.results import Goal, Sample
from benchmarks.rounds import turn
from benchmarks.servers import MESSAGE_BYTES, SENDING, Bench, Target

TITLE = "Stored messages acknowledged"
UNIT = "messages/s"
SENDERS = 200
TABLES = 20
COMMAND = json.dumps({"action": "send", "text": "x" * MESSAGE_BYTES, "id": "%s"})
DATABASES = ("SQLite", "PostgreSQL")
ONE_ROOM, TWENTY_ROOMS = "one room, {}", "twenty rooms, {}"
ONE_BY_ONE = "One by one"

GOALS = (
    *(
        Goal(case.format(database), 5, ONE_BY_ONE, peer_case=ONE_ROOM.format(database))
        for database in DATABASES
        for case in (ONE_ROOM, TWENTY_ROOMS)
    ),
    Goal(ONE_ROOM.format("SQLite"), 5, "Channels, Uvicorn"),
)


def run(bench: Bench) -> Iterator[Sample]:
    """Both databases by turns, then the peers."""
    with ExitStack() as stack:
        load = stack.enter_context(Load())
        targets = {database: stack.enter_context(bench.chorus(database, limits=SENDING)) for database in DATABASES}
        alone = {database: stack.enter_context(bench.one_by_one(database, "message")) for database in DATABASES}
        stock = stack.enter_context(bench.stock())
        at_stock = stock.open(load, "store", SENDERS)
        for _ in range(bench.rounds):
            for database, target in targets.items():
                for case, rooms in ((ONE_ROOM, 1), (TWENTY_ROOMS, TABLES)):
                    yield from _round(bench, load, target, rooms, case.format(database))
                yield Sample(ONE_ROOM.format(database), ONE_BY_ONE, alone[database](bench.seconds))
            measure = partial(calls, load, stock.pid, at_stock, COMMAND, bench.seconds)
            yield from turn(bench, stock, ONE_ROOM.format("SQLite"), measure)


def _round(bench: Bench, load: Load, target: Target, rooms: int, case: str) -> Iterator[Sample]:
    connections: list[Connection] = []
    for room in range(rooms):
        target.paths = {**target.paths, "table": f"/ws/chat/table-{room}/"}
        connections += target.open(load, "table", SENDERS // rooms, first=len(connections))
    load.wait_quiet()
    yield from turn(bench, target, case, partial(calls, load, target.pid, connections, COMMAND, bench.seconds))
    load.close(connections)
    target.wait_idle()
