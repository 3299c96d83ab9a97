"""The colours of tokens.css, by WCAG 2.2: text 4.5 to 1 (§1.4.3), borders of fields 3 to 1 (§1.4.11)."""

import re
from itertools import product
from pathlib import Path

import pytest

TOKENS = Path(__file__).parents[2] / "realtime/static/realtime/css/tokens.css"
GROUNDS = ("paper", "surface", "sunken")
TEXT = [
    *product(("ink", "ink-soft", "accent", "danger"), GROUNDS),
    *product([f"voice-{number}" for number in range(8)], ("surface", "sunken")),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("accent-strong", "accent-soft"),
    ("ink", "accent-soft"),
    ("on-sun-soft", "sun-soft"),
    ("danger", "danger-soft"),
    ("ink", "danger-soft"),
    ("on-danger", "danger"),
]


def schemes() -> dict[str, dict[str, str]]:
    light, dark = TOKENS.read_text().split("@media", 1)
    found = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", part)) for part in (light, dark)]
    return {"light": found[0], "dark": {**found[0], **found[1]}}


def luminance(color: str) -> float:
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(scheme: str) -> None:
    colors = schemes()[scheme]
    faint = [f"{text} on {ground}" for text, ground in TEXT if contrast(colors[text], colors[ground]) < 4.5]
    assert faint == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fields_can_be_seen(scheme: str) -> None:
    colors = schemes()[scheme]
    assert [ground for ground in GROUNDS if contrast(colors["line-strong"], colors[ground]) < 3] == []
