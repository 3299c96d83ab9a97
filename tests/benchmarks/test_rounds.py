"""A round counts when one side was busy; a peer that fails is left out, Chorus is not."""

from collections.abc import Callable

import pytest

from benchmarks.load.generator import LoadError
from benchmarks.results import Sample
from benchmarks.rounds import TRIES, Measured, saturated, turn, until_saturated
from benchmarks.servers import Bench, Target


def busy(server: float, load: float = 0.0, **more: float) -> dict[str, float]:
    """The notes of a round in which the two used such shares of their cores."""
    return {"server_cpu": server, "load_cpu": load, **more}


def rounds(*found: Measured) -> Callable[[], Measured]:
    """A measurement that gives these one after the other."""
    return iter(found).__next__


def failing() -> Measured:
    raise LoadError("the server hung up")


def target(name: str) -> Target:
    """A server that nobody starts."""
    return Target(name, process=None, paths={})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("notes", "is_saturated"),
    [
        (busy(0.95), True),
        (busy(0.3, 0.96), True),
        (busy(0.94, 0.94), False),
        (busy(0.5, 0.4, beside_cpu=0.55), True),  # the load and PostgreSQL share a core
    ],
)
def test_a_round_is_saturated_when_one_side_used_its_core(notes: dict[str, float], is_saturated: bool) -> None:
    assert saturated(notes) is is_saturated


def test_a_round_in_which_nobody_was_busy_is_repeated() -> None:
    value, notes = until_saturated(rounds((1, busy(0.4)), (100, busy(1.0))))
    assert value == 100
    assert notes["saturated"] == 1


def test_what_stays_idle_is_reported_as_such() -> None:
    value, notes = until_saturated(rounds(*[(index, busy(0.5)) for index in range(TRIES)]))
    assert value == TRIES - 1
    assert notes["saturated"] == 0


def test_work_is_told_for_each_second_of_the_servers_cpu() -> None:
    _, notes = until_saturated(rounds((100, busy(0.5, 1.0))))
    assert notes["per_cpu"] == 200


def test_a_peer_that_fails_is_left_out_from_then_on_with_the_reason() -> None:
    bench, ended = Bench(1, 0.1), list[str]()
    assert not list(turn(bench, target("ws"), "case", failing, afterwards=lambda: ended.append("closed")))
    assert not list(turn(bench, target("ws"), "case", rounds((1, busy(1.0)))))
    assert bench.left_out == {"ws": "the server hung up"}
    assert ended == ["closed"]


def test_where_chorus_fails_the_row_fails() -> None:
    with pytest.raises(LoadError, match="hung up"):
        list(turn(Bench(1, 0.1), target("Chorus, SQLite"), "case", failing))


def test_a_turn_gives_a_sample() -> None:
    found = list(turn(Bench(1, 0.1), target("Chorus"), "case", rounds((7, busy(1.0))), generator="second"))
    assert found == [Sample("case", "Chorus", 7, {**busy(1.0), "per_cpu": 7, "saturated": 1}, "second")]
