"""The page of results says what was measured, and what was not."""

from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.results import Results, Sample

CASE = "500 subscribers, window 1"


def busy(per_cpu: float, saturated: float = 1.0) -> dict[str, float]:
    """The notes of a round."""
    return {"per_cpu": per_cpu, "saturated": saturated}


@pytest.fixture
def page(tmp_path: Path) -> str:
    """What is written of a row with three servers, of which one was never busy and one failed."""
    samples = [
        Sample(CASE, "Chorus", 90, busy(100)),
        Sample(CASE, "Chorus", 10, busy(20, saturated=0)),
        Sample(CASE, "Chorus", 70, busy(80), "second"),
        Sample(CASE, "websockets", 50, busy(50)),
        Sample(CASE, "websockets", 50, busy(52), "second"),
        Sample(CASE, "ws (Node.js)", 60, busy(200, saturated=0)),
        Sample(CASE, "Channels, Uvicorn", 1, busy(2, saturated=0)),
    ]
    left_out = {"fanout": {"NATS": "the server hung up"}}
    report.write(Results({"Python": "3"}, {"fanout": "today"}, {"fanout": samples}, left_out), tmp_path)
    return (tmp_path / "RESULTS.md").read_text()


def test_a_goal_is_held_against_work_for_each_second_of_cpu(page: str) -> None:
    assert f"| {CASE} | ≥ 1.5 × websockets, per CPU second | 2.00 | reached |" in page


def test_a_goal_of_the_second_generator_is_told(page: str) -> None:
    assert f"| {CASE} | ≥ 1.5 × websockets, per CPU second, second generator | 1.54 | reached |" in page


def test_a_goal_says_when_nobody_was_busy(page: str) -> None:
    assert "× Channels, Uvicorn, per CPU second | 50.00 | reached, by rounds that were not saturated |" in page


def test_rounds_in_which_nobody_was_busy_are_told(page: str) -> None:
    assert f"| {CASE} | Chorus | 90 | 90 – 90 | 1 of 2 | 100 | **80** |" in page
    assert f"| {CASE} | ws (Node.js) | 60 | 60 – 60 | 1, none saturated | 200 |  |" in page


def test_two_generators_that_agree_need_no_second_figure(page: str) -> None:
    assert f"| {CASE} | websockets | 50 | 50 – 50 | 1 | 50 | the same |" in page


def test_the_faster_ones_stand_before_chorus(page: str) -> None:
    assert f"| {CASE} | ws (Node.js) 2.00 · **Chorus 1** · websockets 0.50 · Channels, Uvicorn 0.02 |" in page


def test_who_was_left_out_is_told_with_the_reason(page: str) -> None:
    assert "Left out: NATS: the server hung up" in page
