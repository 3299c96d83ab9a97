"""A stream's last days as a small chart, drawn on the server."""

from dataclasses import dataclass
from typing import Any

from django import template

from realtime.streams.activity import activity_of
from realtime.streams.history import History

register = template.Library()

BAR, GAP, HEIGHT = 14, 4, 80
"""Of the chart, in its own units; the page stretches it."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One day."""

    day: Any
    count: int
    x: int
    y: int
    height: int


@register.inclusion_tag("admin/realtime/activity.html")
def activity(stream: History) -> dict[str, Any]:
    """Entries per day, and how many and by whom today, in a week, in a month."""
    found = activity_of(stream)
    most = max(count for _, count in found.by_day)
    bars = []
    for index, (day, count) in enumerate(found.by_day):
        height = max(2, round(count / most * HEIGHT)) if count else 0  # a single one is to be seen too
        bars.append(Bar(day, count, index * (BAR + GAP), HEIGHT - height, height))
    return {
        "bars": bars,
        "periods": found.periods,
        "most": most,
        "total": found.periods[-1].count,
        "bar": BAR,
        "width": len(bars) * (BAR + GAP) - GAP,
        "height": HEIGHT,
        "one": stream.entry_model._meta.verbose_name,
        "what": stream.entry_model._meta.verbose_name_plural,
    }
