"""Many small rooms beside one large one: how long a stored chat message takes, with the same deliveries a second.

200 rooms of 50 people with 2, 10 and 20 messages a second in each, and one room of 500 with the same deliveries. The
people of a room send by turns, so that every limit is the default. SQLite. The peer is Chorus itself with the one room.
The time of a delivery is from the moment the message was due until the read that brought it, so what waits in the load
generator is in it. What the server cannot keep up with is left out, with its answer. The value is the 99th percentile,
in ms.
"""

from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks.load.generator import Connection, Load, LoadError
from benchmarks.load.patterns import at_rate
from benchmarks.results import Goal, Sample
from benchmarks.servers import Bench, Target

TITLE = "200 rooms of 50 beside one of 500"
UNIT = "ms (p99)"
ROOMS, PEOPLE, LARGE = 200, 50, 500
RATES = (2, 10, 20)
"""Messages a second in each small room."""
SECONDS = 4
"""As many times as long as a throughput is measured: a percentile needs more."""


def rate_of_one(rate: int) -> int:
    """Messages a second in the large room for the same deliveries."""
    return rate * ROOMS * PEOPLE // LARGE


def many(rate: int) -> str:
    """How a case of small rooms is called."""
    return f"{ROOMS} rooms of {PEOPLE}, {rate} messages/s in each"


def one(rate: int) -> str:
    """How its peer is called."""
    return f"one room of {LARGE}, {rate_of_one(rate)} messages/s"


GOALS = tuple(Goal(many(rate), 2, "Chorus", best="most", of="p99", peer_case=one(rate)) for rate in RATES)


def run(bench: Bench) -> Iterator[Sample]:
    """Rates by turns, each on both."""
    with ExitStack() as stack:
        load = stack.enter_context(Load())
        target, alone = (stack.enter_context(bench.chorus()) for _ in range(2))
        small = [_open(load, target, f"table-{index}", PEOPLE, first=index * PEOPLE) for index in range(ROOMS)]
        large = [_open(load, alone, "lobby", LARGE, first=0)]
        load.wait_quiet()
        for _ in range(bench.rounds):
            for rate in RATES:
                yield from _sample(bench, load, alone, large, one(rate), rate_of_one(rate))
                yield from _sample(bench, load, target, small, many(rate), rate)


def _open(load: Load, target: Target, room: str, count: int, first: int) -> list[Connection]:
    target.paths = {**target.paths, "table": f"/ws/chat/{room}/"}
    return target.open(load, "table", count, first=first)


def _sample(
    bench: Bench, load: Load, target: Target, rooms: list[list[Connection]], case: str, per_second: float
) -> Iterator[Sample]:
    if case in bench.left_out:
        return
    load.wait_quiet(1.0)
    target.wait_idle()
    try:
        notes = at_rate(load, target.pid, rooms, str(target.payload), per_second, SECONDS * bench.seconds)
    except LoadError as error:
        bench.left_out[case] = str(error)
    else:
        yield Sample(case, target.name, notes["p99"], notes)
