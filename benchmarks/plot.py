"""Two kinds of plot as SVG text: bars in groups, and lines from the origin. Readable on light and on dark pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

COLOURS = (
    "#4c78a8",
    "#e45756",
    "#72b7b2",
    "#b279a2",
    "#9d755d",
    "#54a24b",
    "#f58518",
    "#ff9da6",
    "#8c6bb1",
    "#2ca6a4",
    "#bab03c",
)
GREY = "#888"
WIDTH = 760
LEFT, RIGHT = 150, 90
BAR, GAP = 14, 26
HEIGHT = 360
FONT = "font-family='system-ui, sans-serif' font-size='12'"


@dataclass(frozen=True, slots=True)
class Bar:
    """One figure with its spread; bars of one group stand together."""

    group: str
    name: str
    value: float
    low: float
    high: float


def _text(x: float, y: float, text: str, anchor: str = "start", more: str = "") -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' fill='{GREY}'{more}>{escape(text)}</text>"


def _line(x1: float, y1: float, x2: float, y2: float, colour: str = GREY, width: float = 1) -> str:
    points = f"x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}'"
    return f"<line {points} stroke='{colour}' stroke-width='{width:g}'/>"


def _document(title: str, height: float, parts: Sequence[str]) -> str:
    heading = _text(8, 20, title, more=" font-weight='bold'")
    box = f"viewBox='0 0 {WIDTH} {height:.0f}' width='{WIDTH}' height='{height:.0f}'"
    body = "\n".join([f"<title>{escape(title)}</title>", heading, *parts])
    return f"<svg xmlns='http://www.w3.org/2000/svg' {box} {FONT} role='img'>\n{body}\n</svg>\n"


def bars(title: str, found: Sequence[Bar]) -> str:
    """Horizontal bars from zero, with a thin line for the spread and the figure behind each."""
    most = max(bar.high for bar in found)
    scale = (WIDTH - LEFT - RIGHT) / most
    colours = _colours([bar.name for bar in found])
    parts, y, group = [], 30.0, ""
    for bar in found:
        if bar.group != group:
            group = bar.group
            y += GAP
            parts.append(_text(8, y - 8, group))
        middle = y + BAR / 2
        parts.append(_text(LEFT - 6, middle + 4, bar.name, "end"))
        size = f"x='{LEFT}' y='{y:.1f}' width='{bar.value * scale:.1f}' height='{BAR - 2}'"
        parts.append(f"<rect {size} fill='{colours[bar.name]}'/>")
        parts.append(_line(LEFT + bar.low * scale, middle - 1, LEFT + bar.high * scale, middle - 1, width=1.5))
        parts.append(_text(LEFT + bar.high * scale + 6, middle + 4, f"{float(f'{bar.value:.3g}'):,.0f}"))
        y += BAR
    return _document(title, y + 14, parts)


def lines(title: str, x_name: str, y_name: str, curves: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Lines through points from the origin, each with its name at its end."""
    points = [point for curve in curves.values() for point in curve]
    x_ticks, y_ticks = ticks(max(x for x, _ in points)), ticks(max(y for _, y in points))
    bottom, left, right = HEIGHT - 40, 60, WIDTH - 140
    x_scale, y_scale = (right - left) / x_ticks[-1], (bottom - 40) / y_ticks[-1]
    parts = [_text(left - 6, bottom - y * y_scale + 4, f"{y:,g}", "end") for y in y_ticks]
    parts += [_line(left, bottom - y * y_scale, right, bottom - y * y_scale, width=0.3) for y in y_ticks]
    parts += [_text(left + x * x_scale, bottom + 18, f"{x:,g}", "middle") for x in x_ticks]
    parts += [_text(right, HEIGHT - 6, x_name, "end"), _text(8, 36, y_name)]
    colours = _colours(list(curves))
    for name, curve in curves.items():
        placed = [(left + x * x_scale, bottom - y * y_scale) for x, y in curve]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in [(left, bottom), *placed])
        parts.append(f"<polyline points='{path}' fill='none' stroke='{colours[name]}' stroke-width='2'/>")
    parts += _legend(curves, colours, left + x_ticks[-1] * x_scale + 8)
    return _document(title, HEIGHT, parts)


def _legend(curves: Mapping[str, Sequence[tuple[float, float]]], colours: Mapping[str, str], x: float) -> list[str]:
    """Names from the highest curve to the lowest."""
    ordered = sorted(curves, key=lambda name: -curves[name][-1][1])
    return [
        part
        for index, name in enumerate(ordered)
        for part in (
            f"<rect x='{x:.1f}' y='{50 + 20 * index}' width='10' height='10' fill='{colours[name]}'/>",
            _text(x + 16, 59 + 20 * index, name),
        )
    ]


def _colours(names: Sequence[str]) -> dict[str, str]:
    distinct = list(dict.fromkeys(names))
    return {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(distinct)}


def ticks(most: float) -> list[float]:
    """Round numbers from 0 to at least `most`, four to ten of them apart from 0."""
    power: float = 10 ** floor(log10(most))
    step = next(power * part for part in (0.1, 0.2, 0.25, 0.5, 1) if most / (power * part) <= 10)
    return [step * index for index in range(ceil(most / step) + 1)]
