"""Messages that are not stored, from one publisher to all subscribers of one group: deliveries per second.

Chorus: `/ws/broadcast/` over the Redis layer, logged in by token; the one publisher's command rate is raised. Peers, as
their own documentation has a broadcast: the bare `websockets` library, Starlette, Channels (its tutorial), `ws` and
Socket.IO on Node.js, nginx with nchan, and by WebSocket the brokers NATS and Mosquitto (MQTT, at most once); and the
least that a server in C can do, which is what the kernel costs. None but Channels logs anybody in. The window is how
many messages the publisher has under way: sent, and not yet come back to itself, for it is one of the subscribers.
Messages have 128 bytes.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial

from benchmarks.compiled import compiler
from benchmarks.load.generator import Connection, Load
from benchmarks.load.patterns import fan_out
from benchmarks.others import LEAST, enter_all
from benchmarks.results import Goal, Sample
from benchmarks.rounds import turn
from benchmarks.servers import SENDING, Bench, Target

TITLE = "Fan-out of unstored messages"
UNIT = "deliveries/s"
WINDOWS = (1, 8)
CHECKED = ("Chorus", "websockets", "Starlette", "ws (Node.js)", "nginx, nchan", LEAST)
"""Servers that the second load generator measures too."""


def case(subscribers: int, window: int) -> str:
    """How a case is called."""
    return f"{subscribers:,} subscribers, window {window}"


GOALS = (
    Goal(case(500, 1), 1.5, "websockets", of="per_cpu"),
    Goal(case(500, 1), 1.5, "websockets", of="per_cpu", generator="second"),
    Goal(case(500, 8), 6, "websockets", of="per_cpu"),
    Goal(case(500, 8), 6, "websockets", of="per_cpu", generator="second"),
    Goal(case(2000, 1), 1.4, "websockets", of="per_cpu"),
    Goal(case(2000, 1), 1.4, "websockets", of="per_cpu", generator="second"),
    Goal(case(2000, 8), 5, "websockets", of="per_cpu"),
    Goal(case(500, 1), 15, "Channels, Uvicorn", of="per_cpu"),
    Goal(case(500, 8), 60, "Channels, Uvicorn", of="per_cpu"),
)


def run(bench: Bench) -> Iterator[Sample]:
    """All servers with 500 subscribers, all but Channels with 2,000."""
    with ExitStack() as stack:
        servers = (bench.websockets(), bench.chorus(limits=SENDING), bench.starlette())
        fast = [stack.enter_context(server) for server in servers] + enter_all(stack, "broadcast")
        stock = [stack.enter_context(bench.stock(server)) for server in ("Uvicorn", "Daphne")]
        yield from fan_outs(bench, [*fast, *stock], "broadcast", 500, WINDOWS, case)
        yield from fan_outs(bench, fast, "broadcast", 2000, WINDOWS, case)


def fan_outs(
    bench: Bench,
    targets: Sequence[Target],
    work: str,
    subscribers: int,
    windows: Sequence[int],
    case_of: Callable[[int, int], str],
) -> Iterator[Sample]:
    """Rounds in which every server has its turn with every window: by the first generator, then by the second."""
    with Load() as load:
        connected = [(target, connect(load, target, work, subscribers)) for target in targets]
        for _ in range(bench.rounds):
            for window in windows:
                for target, connections in connected:
                    measure = partial(fan_out, load, target.pid, connections, target.payload, window, bench.seconds)
                    hang_up = partial(load.close, connections)
                    yield from turn(bench, target, case_of(subscribers, window), measure, afterwards=hang_up)
    if compiler():
        checked = [target for target in targets if target.name.startswith(CHECKED)]
        yield from _second(bench, checked, work, subscribers, windows, case_of)


def _second(
    bench: Bench,
    targets: Sequence[Target],
    work: str,
    subscribers: int,
    windows: Sequence[int],
    case_of: Callable[[int, int], str],
) -> Iterator[Sample]:
    with ExitStack() as stack:
        seconds = [(target, stack.enter_context(target.second(work, subscribers))) for target in targets]
        for _ in range(bench.rounds):
            for window in windows:
                for target, second in seconds:
                    measure = partial(second.fan_out, window, bench.seconds)
                    yield from turn(bench, target, case_of(subscribers, window), measure, generator="second")


def connect(load: Load, target: Target, work: str, count: int) -> list[Connection]:
    """Open connections and wait until the server has nothing more to tell them."""
    connections = target.open(load, work, count)
    load.wait_quiet()
    target.wait_idle()
    return connections
