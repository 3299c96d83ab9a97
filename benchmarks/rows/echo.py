"""Round trips per second of 50 connections that each send 128 bytes again as soon as they have come back.

Chorus: `/ws/echo/`, logged in, with every limit as it is by default. Peers: the bare `websockets` library, Starlette,
Channels with a consumer that sends back what it gets, `ws` and Socket.IO on Node.js, and the least that a
server in C can do. The others have no echo.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial

from benchmarks.compiled import compiler
from benchmarks.load.generator import Load
from benchmarks.load.patterns import ping_pong
from benchmarks.others import enter_all
from benchmarks.results import Goal, Sample
from benchmarks.rounds import turn
from benchmarks.rows.fanout import CHECKED, connect
from benchmarks.servers import Bench, Target

TITLE = "Echo"
UNIT = "round trips/s"
CONNECTIONS = 50
CASE = f"{CONNECTIONS} connections"
GOALS = (
    Goal(CASE, 1.6, "websockets", of="per_cpu"),
    Goal(CASE, 1.6, "websockets", of="per_cpu", generator="second"),
)


def run(bench: Bench) -> Iterator[Sample]:
    """All by turns."""
    servers = (bench.websockets(), bench.chorus(), bench.starlette(), bench.stock("Uvicorn"), bench.stock("Daphne"))
    with ExitStack() as stack:
        targets = [stack.enter_context(server) for server in servers] + enter_all(stack, "echo")
        with Load() as load:
            connected = [(target, connect(load, target, "echo", CONNECTIONS)) for target in targets]
            for _ in range(bench.rounds):
                for target, connections in connected:
                    measure = partial(ping_pong, load, target.pid, connections, target.echo, bench.seconds)
                    yield from turn(bench, target, CASE, measure, afterwards=partial(load.close, connections))
        if compiler():
            yield from _second(bench, [target for target in targets if target.name in CHECKED])


def _second(bench: Bench, targets: Sequence[Target]) -> Iterator[Sample]:
    with ExitStack() as stack:
        seconds = [(target, stack.enter_context(target.second("echo", CONNECTIONS))) for target in targets]
        for _ in range(bench.rounds):
            for target, second in seconds:
                measure = partial(second.ping_pong, bench.seconds)
                yield from turn(bench, target, CASE, measure, generator="second")
