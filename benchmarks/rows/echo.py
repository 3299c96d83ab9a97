"""Round trips per second of 50 connections that each send 128 bytes again as soon as they have come back.

Chorus: `/ws/echo/`, logged in. Peers: the bare `websockets` library, Starlette, and Channels with a consumer that sends
back what it gets.
"""

from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks.load.generator import Load
from benchmarks.load.patterns import ping_pong
from benchmarks.results import Goal, Sample
from benchmarks.rows.fanout import connect
from benchmarks.servers import MESSAGE_BYTES, Bench

TITLE = "Echo"
UNIT = "round trips/s"
CASE = "50 connections"
GOALS = (Goal(CASE, 1.0, "websockets"),)


def run(bench: Bench) -> Iterator[Sample]:
    """All by turns."""
    servers = (bench.websockets(), bench.chorus(), bench.starlette(), bench.stock("Uvicorn"), bench.stock("Daphne"))
    with ExitStack() as stack:
        load = stack.enter_context(Load())
        targets = [stack.enter_context(server) for server in servers]
        connected = [(target, connect(load, target, "echo", 50)) for target in targets]
        for _ in range(bench.rounds):
            for target, connections in connected:
                value, notes = ping_pong(load, target.pid, connections, "x" * MESSAGE_BYTES, bench.seconds)
                yield Sample(CASE, target.name, value, notes)
