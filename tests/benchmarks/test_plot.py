"""Plots are drawn to scale."""

import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from benchmarks.plot import Bar, bars, lines, ticks

SVG = "{http://www.w3.org/2000/svg}"


def test_bars_are_as_long_as_their_figures() -> None:
    drawn = ET.fromstring(bars("t", [Bar("g", "a", 50, 40, 100), Bar("g", "b", 25, 25, 25)]))  # noqa: S314 - our own
    first, second = (float(bar.attrib["width"]) for bar in drawn.iter(f"{SVG}rect"))
    assert first == 2 * second


def test_lines_start_at_the_origin_and_keep_proportion() -> None:
    drawn = ET.fromstring(lines("t", "x", "y", {"a <b>": [(500, 20), (1000, 40)]}))  # noqa: S314 - our own
    (line,) = drawn.iter(f"{SVG}polyline")
    points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    steps = [(x2 - x1, y2 - y1) for (x1, y1), (x2, y2) in pairwise(points)]
    assert steps[0] == pytest.approx(steps[1], abs=0.2)


@pytest.mark.parametrize("most", [0.7, 1, 9.9, 10, 386, 10_000])
def test_ticks_are_few_and_reach_the_highest(most: float) -> None:
    found = ticks(most)
    assert found[0] == 0
    assert found[-2] < most <= found[-1]
    assert 4 <= len(found) - 1 <= 10
