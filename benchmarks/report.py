"""RESULTS.md and its plots, made again from results.json whenever a row has been measured."""

import statistics
from collections.abc import Iterator
from pathlib import Path

from benchmarks.plot import Bar, bars, lines
from benchmarks.results import Goal, Results, Row, missed_by, reached
from benchmarks.rows import NAMES, RowModule, memory, row

DIRECTORY = Path(__file__).parent
NOTES = {
    "frames_per_read": "frames a read",
    "p50": "p50 ms",
    "p99": "p99 ms",
    "server_cpu": "server CPU",
    "load_cpu": "load CPU",
    "total_mb": "MB in all",
}
SHARES = {"server_cpu", "load_cpu"}
HEAD = """# Results

Made by `make bench`; [README.md](README.md) says how it measures and how to read this. Figures are medians over
interleaved rounds, spread is lowest to highest, ratios are ratios of medians.

"""


def write(results: Results, directory: Path = DIRECTORY) -> None:
    """Write RESULTS.md, fanout.svg and memory.svg."""
    names = [name for name in NAMES if name in results.rows]
    sections = [_section(name, row(name), results) for name in names]
    text = HEAD + _machine(results) + _goals(names, results) + "".join(sections)
    (directory / "RESULTS.md").write_text(text)
    if "fanout" in results.rows:
        (directory / "fanout.svg").write_text(_fanout_plot(Row(results.rows["fanout"])))
    if "memory" in results.rows:
        (directory / "memory.svg").write_text(_memory_plot(Row(results.rows["memory"])))


def _machine(results: Results) -> str:
    facts = (f"| {name} | {value} |\n" for name, value in results.facts.items())
    return "| machine | |\n| --- | --- |\n" + "".join(facts) + "\n"


def _goals(names: list[str], results: Results) -> str:
    table = "## Goals\n\n| row | case | goal | measured | |\n| --- | --- | --- | --- | --- |\n"
    for name in names:
        measured = Row(results.rows[name])
        table += "".join(_goal(row(name).TITLE, goal, measured.ratio(goal)) for goal in row(name).GOALS)
    return table + "\n"


def _goal(title: str, goal: Goal, ratio: float | None) -> str:
    figure = "" if goal.of == "value" else f", {NOTES[goal.of]}"
    peer = goal.peer_case if goal.peer == goal.server else goal.peer
    sign = "≥" if goal.best == "least" else "≤"
    case = goal.case if goal.server == "Chorus" else f"{goal.case}: {goal.server}"
    wanted = f"{sign} {goal.ratio:g} × {peer}{figure}"
    if ratio is None:
        return f"| {title} | {case} | {wanted} | – | not measured |\n"
    verdict = "reached" if reached(goal, ratio) else f"**missed by {missed_by(goal, ratio):.0%}**"
    return f"| {title} | {case} | {wanted} | {ratio:.2f} | {verdict} |\n"


def _section(name: str, module: RowModule, results: Results) -> str:
    measured = Row(results.rows[name])
    notes = [note for note in NOTES if any(note in sample.notes for sample in measured.samples)]
    head = ["case", "server", module.UNIT, "spread", "rounds", *(NOTES[note] for note in notes)]
    text = f"## {module.TITLE}\n\n`make bench ROW={name}` · {results.measured[name]}\n\n"
    text += (module.__doc__ or "").strip() + "\n\n"
    if name in {"fanout", "memory"}:
        text += f"![{module.TITLE}]({name}.svg)\n\n"
    text += f"| {' | '.join(head)} |\n|{' --- |' * len(head)}\n"
    return text + "".join(f"| {' | '.join(cells)} |\n" for cells in _lines(measured, notes)) + "\n"


def _lines(measured: Row, notes: list[str]) -> Iterator[list[str]]:
    for case in measured.cases:
        for server in measured.servers(case):
            figures = measured.figures(case, server)
            spread = f"{number(min(figures))} – {number(max(figures))}"
            seen = [_note(note, measured.median(case, server, note)) for note in notes]
            yield [case, server, number(statistics.median(figures)), spread, str(len(figures)), *seen]


def _note(name: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0%}" if name in SHARES else number(value)


def number(value: float) -> str:
    """Three digits that count, thousands set apart."""
    if value >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"


def _fanout_plot(measured: Row) -> str:
    found = [
        Bar(case, server, statistics.median(figures), min(figures), max(figures))
        for case in measured.cases
        for server in measured.servers(case)
        if (figures := measured.figures(case, server))
    ]
    return bars("Deliveries per second, unstored messages", found)


def _memory_plot(measured: Row) -> str:
    servers = list(dict.fromkeys(sample.server for sample in measured.samples))
    curves = {
        server: [
            (float(step), total)
            for step in memory.STEPS
            if (total := measured.median(memory.case(step), server, "total_mb")) is not None
        ]
        for server in servers
    }
    return lines("Memory of idle connections", "connections", "MB", curves)
