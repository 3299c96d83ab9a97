"""The arithmetic of the benchmarks."""

from pathlib import Path

import pytest

from benchmarks.results import Goal, Results, Row, Sample, missed_by, percentile, reached


def row(**figures: list[float]) -> Row:
    """A row with one case and these rounds, of values and of the note `p99`, ten times as large."""
    rounds = [(server, value) for server, values in figures.items() for value in values]
    return Row(Sample("case", server, value, {"p99": 10 * value}) for server, value in rounds)


def test_a_ratio_is_of_medians_not_of_means() -> None:
    measured = row(Chorus=[3, 1000, 4], bare=[2, 2, 1])
    assert measured.ratio(Goal("case", 1, "bare")) == 2


def test_a_goal_may_be_about_a_note() -> None:
    assert row(Chorus=[2], bare=[4]).ratio(Goal("case", 1, "bare", of="p99")) == 0.5


def test_a_goal_may_compare_two_cases() -> None:
    measured = Row([Sample("many", "Chorus", 9), Sample("few", "Chorus", 10)])
    assert measured.ratio(Goal("many", 0.8, "Chorus", peer_case="few")) == 0.9


@pytest.mark.parametrize("goal", [Goal("case", 1, "bare"), Goal("other", 1, "Chorus"), Goal("case", 1, "zero")])
def test_without_both_figures_there_is_no_ratio(goal: Goal) -> None:
    assert row(Chorus=[1], zero=[0]).ratio(goal) is None


def test_a_goal_without_a_peer_is_a_figure() -> None:
    assert row(Chorus=[7.5]).ratio(Goal("case", 8, "", best="most")) == 7.5


def test_the_machines_noise_is_no_part_of_a_median() -> None:
    idle = [Sample("case", "bare", value, {"saturated": 0.0}) for value in (1, 2)]
    measured = Row([*idle, Sample("case", "bare", 100, {"saturated": 1.0})])
    assert measured.median("case", "bare") == 100
    assert [len(found) for found in measured.rounds("case", "bare")] == [1, 3]


def test_where_no_round_was_saturated_all_count() -> None:
    measured = Row(Sample("case", "bare", value, {"saturated": 0.0}) for value in (1, 2, 3))
    assert measured.median("case", "bare") == 2


@pytest.mark.parametrize(("saturated", "noisy"), [(1.0, False), (0.0, True)])
def test_a_goal_knows_whether_a_side_was_never_busy(saturated: float, noisy: bool) -> None:
    idle = Sample("case", "bare", 1, {"saturated": 0.0})
    measured = Row([Sample("case", "Chorus", 1), idle, Sample("case", "bare", 1, {"saturated": saturated})])
    assert measured.noisy(Goal("case", 1, "bare")) is noisy


def twice(first: float, second: float) -> Row:
    """What the two load generators say of one server."""
    return Row(
        [
            Sample("case", "Chorus", 1, {"per_cpu": first}),
            Sample("case", "Chorus", 1, {"per_cpu": second}, "second"),
        ]
    )


@pytest.mark.parametrize(("second", "shown"), [(100, None), (109, None), (111, 111), (89, 89)])
def test_the_second_generator_is_shown_where_it_differs(second: float, shown: float | None) -> None:
    assert twice(100, second).checked("case", "Chorus", "per_cpu") == shown


def test_a_goal_may_be_the_second_generators() -> None:
    goal = Goal("case", 50, "", of="per_cpu", generator="second")
    assert twice(100, 60).ratio(goal) == 60


def test_servers_are_ranked_from_the_best() -> None:
    measured = row(Chorus=[2], slow=[1], quick=[3])
    assert measured.ranked("case", "value", "most") == [("quick", 3), ("Chorus", 2), ("slow", 1)]
    assert measured.ranked("case", "value", "least")[0] == ("slow", 1)


def test_spread_is_over_the_rounds_of_one_server() -> None:
    assert row(Chorus=[3, 1, 2], bare=[7]).figures("case", "Chorus") == [3, 1, 2]


@pytest.mark.parametrize(
    ("best", "ratio", "off"),
    [("least", 2.0, 0), ("least", 2.5, 0), ("least", 1.5, 0.25), ("most", 3, 0.5), ("most", 2, 0)],
)
def test_a_goal_is_missed_by_a_share_of_it(best: str, ratio: float, off: float) -> None:
    goal = Goal("case", 2, "bare", best="least" if best == "least" else "most")
    assert missed_by(goal, ratio) == off
    assert reached(goal, ratio) is (off == 0)


@pytest.mark.parametrize(("percent", "value"), [(50, 50), (99, 99), (100, 100), (0, 1)])
def test_a_percentile_is_one_of_the_values(percent: float, value: float) -> None:
    assert percentile([float(each) for each in range(100, 0, -1)], percent) == value


def test_results_come_back_from_their_file(tmp_path: Path) -> None:
    samples = [Sample("case", "Chorus", 12345.6, {"p99": 0.12345}), Sample("case", "bare", 2.0, generator="second")]
    held = {"fanout": {"NATS": "it hung up"}}
    Results({"Python": "3"}, {"fanout": "today"}, {"fanout": samples}, held).save(tmp_path / "results.json")
    back = Results.load(tmp_path / "results.json")
    assert back.rows["fanout"] == [Sample("case", "Chorus", 12346, {"p99": 0.1235}), samples[1]]
    assert (back.facts, back.measured, back.left_out) == ({"Python": "3"}, {"fanout": "today"}, held)
