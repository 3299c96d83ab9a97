"""RESULTS.md and its plots, made again from results.json whenever a row has been measured."""

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from benchmarks.plot import Bar, bars, lines
from benchmarks.results import Goal, Results, Row, missed_by, reached
from benchmarks.rows import NAMES, RowModule, memory, row

DIRECTORY = Path(__file__).parent
NOTES = {
    "per_cpu": "per CPU second",
    "frames_per_read": "frames a read",
    "p50": "p50 ms",
    "p99": "p99 ms",
    "server_cpu": "server CPU",
    "load_cpu": "load CPU",
    "beside_cpu": "Redis, PostgreSQL CPU",
    "per_second": "deliveries/s",
    "total_mb": "MB in all",
    "opened_s": "s to open",
    "told_s": "s to tell all",
    "closed_s": "s to close",
    "processes": "processes",
}
SHARES = {"server_cpu", "load_cpu", "beside_cpu"}
RANKED: dict[str, tuple[str, Literal["least", "most"]]] = {
    "fanout": ("per_cpu", "most"),
    "echo": ("per_cpu", "most"),
    "memory": ("value", "least"),
    "connects": ("per_cpu", "most"),
}
"""Rows in which all servers do the same work: the figure that they are compared by, and which end is the best."""
HEAD = """# Results

Made by `make bench`; [README.md](README.md) says how it measures and how to read this. Figures are medians over
interleaved rounds, spread is lowest to highest, ratios are ratios of medians. A round in which neither the server nor
the other side was busy all the time is repeated; where one still was not, the column *rounds* says how many count.

"""
AMONG_ALL = """## Chorus among all

The best first, with its figure as a multiple of Chorus': by work for each second of the server's CPU time, memory by KB
for each connection.

| row | case | |
| --- | --- | --- |
"""


def write(results: Results, directory: Path = DIRECTORY) -> None:
    """Write RESULTS.md, fanout.svg and memory.svg."""
    names = [name for name in NAMES if name in results.rows]
    sections = [_section(name, row(name), results) for name in names]
    text = HEAD + _machine(results) + _goals(names, results) + _ranks(names, results) + "".join(sections)
    (directory / "RESULTS.md").write_text(text)
    if "fanout" in results.rows and (found := _fanout_bars(Row(results.rows["fanout"]))):
        (directory / "fanout.svg").write_text(bars("Deliveries per second of server CPU, unstored messages", found))
    if "memory" in results.rows:
        (directory / "memory.svg").write_text(_memory_plot(Row(results.rows["memory"])))


def _machine(results: Results) -> str:
    facts = (f"| {name} | {value} |\n" for name, value in results.facts.items())
    return "| machine | |\n| --- | --- |\n" + "".join(facts) + "\n"


def _goals(names: list[str], results: Results) -> str:
    table = "## Goals\n\n| row | case | goal | measured | |\n| --- | --- | --- | --- | --- |\n"
    for name in names:
        measured = Row(results.rows[name])
        module = row(name)
        table += "".join(_goal(module, goal, measured) for goal in module.GOALS)
    return table + "\n"


def _ranks(names: list[str], results: Results) -> str:
    """Where Chorus stands among all, the faster ones too."""
    text = AMONG_ALL
    for name in (name for name in names if name in RANKED):
        measured = Row(results.rows[name])
        for case in measured.cases:
            ranked = measured.ranked(case, *RANKED[name])
            if len(ranked) > 1 and (ours := dict(ranked).get("Chorus")):
                places = (_place(server, figure / ours) for server, figure in ranked)
                text += f"| {row(name).TITLE} | {case} | {' · '.join(places)} |\n"
    return text + "\n"


def _place(server: str, share: float) -> str:
    return "**Chorus 1**" if server == "Chorus" else f"{server} {share:.2f}"


def _goal(module: RowModule, goal: Goal, measured: Row) -> str:
    figure = "" if goal.of == "value" else f", {NOTES[goal.of]}"
    figure += ", second generator" if goal.generator == "second" else ""
    peer = goal.peer_case if goal.peer == goal.server else goal.peer
    sign = "≥" if goal.best == "least" else "≤"
    case = goal.case if goal.server == "Chorus" else f"{goal.case}: {goal.server}"
    wanted = f"{sign} {goal.ratio:g} {f'× {peer}' if goal.peer else module.UNIT}{figure}"
    ratio = measured.ratio(goal)
    if ratio is None:
        return f"| {module.TITLE} | {case} | {wanted} | – | not measured |\n"
    verdict = "reached" if reached(goal, ratio) else f"**missed by {missed_by(goal, ratio):.0%}**"
    verdict += ", by rounds that were not saturated" if measured.noisy(goal) else ""
    return f"| {module.TITLE} | {case} | {wanted} | {ratio:.2f} | {verdict} |\n"


def _section(name: str, module: RowModule, results: Results) -> str:
    measured = Row(results.rows[name])
    notes = [note for note in NOTES if any(note in sample.notes for sample in measured.samples)]
    checked = any(sample.generator == "second" for sample in measured.samples)
    head = ["case", "server", module.UNIT, "spread", "rounds", *(NOTES[note] for note in notes)]
    head += ["second generator, per CPU second"] if checked else []
    text = f"## {module.TITLE}\n\n`make bench ROW={name}` · {results.measured[name]}\n\n"
    text += (module.__doc__ or "").strip() + "\n\n"
    if name in {"fanout", "memory"}:
        text += f"![{module.TITLE}]({name}.svg)\n\n"
    text += f"| {' | '.join(head)} |\n|{' --- |' * len(head)}\n"
    text += "".join(f"| {' | '.join(cells)} |\n" for cells in _lines(measured, notes, checked)) + "\n"
    missing = results.left_out.get(name, {})
    return text + "".join(f"Left out: {server}: {reason}\n\n" for server, reason in missing.items())


def _lines(measured: Row, notes: list[str], checked: bool) -> Iterator[list[str]]:
    for case in measured.cases:
        for server in measured.servers(case):
            figures = measured.figures(case, server)
            spread = f"{number(min(figures))} – {number(max(figures))}"
            seen = [_note(note, measured.median(case, server, note)) for note in notes]
            seen += [_second(measured, case, server)] if checked else []
            yield [case, server, number(statistics.median(figures)), spread, _rounds(measured, case, server), *seen]


def _rounds(measured: Row, case: str, server: str) -> str:
    """How many were taken into the median, of how many if not of all."""
    counting, found = measured.rounds(case, server)
    if not any(sample.counts for sample in found):
        return f"{len(found)}, none saturated"
    return str(len(found)) if len(counting) == len(found) else f"{len(counting)} of {len(found)}"


def _second(measured: Row, case: str, server: str) -> str:
    """What the second generator says, where that is something else."""
    if measured.median(case, server, "per_cpu", "second") is None:
        return ""
    other = measured.checked(case, server, "per_cpu")
    return "the same" if other is None else f"**{number(other)}**"


def _note(name: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0%}" if name in SHARES else number(value)


def number(value: float) -> str:
    """Three digits that count, thousands set apart."""
    if value >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"


def _fanout_bars(measured: Row) -> list[Bar]:
    return [
        Bar(case, server, statistics.median(figures), min(figures), max(figures))
        for case in measured.cases
        for server in measured.servers(case)
        if (figures := measured.figures(case, server, "per_cpu"))
    ]


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
