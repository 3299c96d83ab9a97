"""What was measured, and the arithmetic on it: medians, spread, ratios, goals."""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

PATH = Path(__file__).with_name("results.json")
Generator = Literal["first", "second"]
DIFFERENT = 0.1
"""The share by which two load generators differ before it is shown."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement: one round of one case on one server."""

    case: str
    server: str
    value: float
    """In the row's unit."""
    notes: dict[str, float] = field(default_factory=dict)
    """What else was seen: `frames_per_read`, `server_cpu`, `load_cpu` (shares of a core), `p99`, `saturated` …"""
    generator: Generator = "first"
    """The load generator that measured it."""

    @property
    def counts(self) -> bool:
        """Whether one side was busy all the time, so that the figure is not the machine's noise; or was not asked."""
        return self.notes.get("saturated", 1.0) == 1.0


@dataclass(frozen=True, slots=True)
class Goal:
    """A ratio of medians that a row is to reach; without a peer a figure in the row's unit."""

    case: str
    ratio: float
    peer: str
    best: Literal["least", "most"] = "least"
    """Whether `ratio` is the least or the most it may be."""
    of: str = "value"
    """Which figure: the value or one of the notes."""
    peer_case: str = ""
    """The case it is compared with, if another."""
    server: str = "Chorus"
    generator: Generator = "first"


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of `values` do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(int(rank), 1) - 1]


class Row:
    """The samples of one row."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self.samples = list(samples)

    @property
    def cases(self) -> list[str]:
        """In the order they were measured."""
        return list(dict.fromkeys(sample.case for sample in self.samples))

    def servers(self, case: str) -> list[str]:
        """Those measured in a case, in that order."""
        return list(dict.fromkeys(sample.server for sample in self.samples if sample.case == case))

    def rounds(self, case: str, server: str, generator: Generator = "first") -> tuple[list[Sample], list[Sample]]:
        """The samples that are taken into the median, and all: where some rounds were saturated, only those count."""
        asked = (case, server, generator)
        found = [each for each in self.samples if (each.case, each.server, each.generator) == asked]
        return [each for each in found if each.counts] or found, found

    def figures(self, case: str, server: str, of: str = "value", generator: Generator = "first") -> list[float]:
        """What the rounds that count gave: the value, or a note where it was taken."""
        found, _ = self.rounds(case, server, generator)
        return [each.value if of == "value" else each.notes[of] for each in found if of == "value" or of in each.notes]

    def median(self, case: str, server: str, of: str = "value", generator: Generator = "first") -> float | None:
        """Over the rounds that count; None where nothing was measured."""
        figures = self.figures(case, server, of, generator)
        return statistics.median(figures) if figures else None

    def ratio(self, goal: Goal) -> float | None:
        """Of the medians; None where one of them is missing or nothing can be divided by it."""
        ours = self.median(goal.case, goal.server, goal.of, goal.generator)
        if not goal.peer:
            return ours
        theirs = self.median(goal.peer_case or goal.case, goal.peer, goal.of, goal.generator)
        return ours / theirs if ours is not None and theirs else None

    def noisy(self, goal: Goal) -> bool:
        """Whether a side of a goal has no round in which somebody was busy: its figure may be the machine's."""
        sides = [(goal.case, goal.server), (goal.peer_case or goal.case, goal.peer)]
        found = [self.rounds(case, server, goal.generator)[1] for case, server in sides]
        return any(samples and not any(sample.counts for sample in samples) for samples in found)

    def checked(self, case: str, server: str, of: str) -> float | None:
        """What the second generator says, where it differs from the first by more than DIFFERENT."""
        first, second = self.median(case, server, of), self.median(case, server, of, "second")
        if not first or second is None or abs(second - first) <= DIFFERENT * first:
            return None
        return second

    def ranked(self, case: str, of: str, best: Literal["least", "most"]) -> list[tuple[str, float]]:
        """All servers of a case with their medians, the best first."""
        found = [(server, self.median(case, server, of)) for server in self.servers(case)]
        measured = [(server, figure) for server, figure in found if figure is not None]
        return sorted(measured, key=lambda each: each[1], reverse=best == "most")


def reached(goal: Goal, ratio: float) -> bool:
    """Whether the ratio is at least, or at most, what was aimed at."""
    return ratio >= goal.ratio if goal.best == "least" else ratio <= goal.ratio


def missed_by(goal: Goal, ratio: float) -> float:
    """How far off the goal is, as a share of it; 0 where it is reached."""
    return 0.0 if reached(goal, ratio) else abs(ratio - goal.ratio) / goal.ratio


@dataclass(slots=True)
class Results:
    """What results.json holds."""

    facts: dict[str, str] = field(default_factory=dict)
    """Of the machine, when a row was measured last."""
    measured: dict[str, str] = field(default_factory=dict)
    """When each row was measured."""
    rows: dict[str, list[Sample]] = field(default_factory=dict)
    left_out: dict[str, dict[str, str]] = field(default_factory=dict)
    """Servers that a row had to leave out, and why."""

    @classmethod
    def load(cls, path: Path = PATH) -> "Results":
        """Those of the last run; empty before the first."""
        if not path.exists():
            return cls()
        held = json.loads(path.read_text())
        rows = {name: [Sample(**sample) for sample in samples] for name, samples in held["rows"].items()}
        return cls(held["facts"], held["measured"], rows, held.get("left_out", {}))

    def save(self, path: Path = PATH) -> None:
        """Write them, a line for each sample."""
        rows = {
            name: "[\n" + ",\n".join("   " + json.dumps(_rounded(sample)) for sample in samples) + "\n  ]"
            for name, samples in self.rows.items()
        }
        body = ",\n".join(f"  {json.dumps(name)}: {text}" for name, text in rows.items())
        heads = {"facts": self.facts, "measured": self.measured, "left_out": self.left_out}
        head = "{\n" + "".join(f" {json.dumps(name)}: {json.dumps(held)},\n" for name, held in heads.items())
        path.write_text(f'{head} "rows": {{\n{body}\n }}\n}}\n')


def _rounded(sample: Sample) -> dict[str, object]:
    held = asdict(sample)
    if sample.generator == "first":
        del held["generator"]
    held["value"] = float(f"{sample.value:.5g}")
    held["notes"] = {name: float(f"{value:.4g}") for name, value in sample.notes.items()}
    return held
