"""When a round counts: the machine's noise must not pass for a server's speed."""

from collections.abc import Callable, Iterator

from benchmarks.load.generator import LoadError
from benchmarks.results import Generator, Sample
from benchmarks.servers import Bench, Target

FULL = 0.95
"""The share of its core that a side uses which is saturated."""
TRIES = 3

Measured = tuple[float, dict[str, float]]
"""A figure in the row's unit per second, and notes."""


def saturated(notes: dict[str, float]) -> bool:
    """Whether the server or the other side (the load, and Redis and PostgreSQL beside it) used all of its core."""
    other_side = notes["load_cpu"] + notes.get("beside_cpu", 0.0)
    return max(notes["server_cpu"], other_side) >= FULL


def until_saturated(measure: Callable[[], Measured]) -> Measured:
    """Measure a throughput, again where neither side was busy: then something else held both, or each the other.

    After TRIES times the round stands as it is. The notes say which it was (`saturated`: 1 or 0) and how much the
    server did for each second of its CPU time (`per_cpu`, unless `measure` knows better).
    """
    for _ in range(TRIES):
        value, notes = measure()
        if saturated(notes):
            break
    return value, {"per_cpu": value / notes["server_cpu"], **notes, "saturated": float(saturated(notes))}


def turn(
    bench: Bench,
    target: Target,
    case: str,
    measure: Callable[[], Measured],
    *,
    generator: Generator = "first",
    afterwards: Callable[[], None] = lambda: None,
) -> Iterator[Sample]:
    """One server's turn. A peer that fails is left out from then on, with the reason; if Chorus fails, all does.

    `afterwards` is called when a peer has failed.
    """
    if target.name in bench.left_out:
        return
    try:
        value, notes = until_saturated(measure)
    except LoadError as error:
        if target.name.startswith("Chorus"):
            raise
        bench.left_out[target.name] = str(error)
        afterwards()
    else:
        yield Sample(case, target.name, value, notes, generator)
