"""What people look for in a stream with a history: how much was said lately, day by day, and by how many."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from realtime.streams.history import History
from realtime.streams.stream import unpruned

DAYS = 30


@dataclass(frozen=True, slots=True)
class Period:
    """What was said in some days up to today, and by how many."""

    days: int
    count: int
    senders: int


@dataclass(frozen=True, slots=True)
class Activity:
    """The last DAYS days of a stream, in the site's time zone. What was deleted or pruned does not count."""

    by_day: list[tuple[date, int]]
    """The oldest first, days without an entry too."""
    periods: list[Period]
    """Today, 7 days, DAYS days."""


def activity_of(stream: History) -> Activity:
    """The numbers of a stream, by two queries."""
    today = timezone.localdate()
    days = [today - timedelta(days=ago) for ago in reversed(range(DAYS))]
    said = stream.appended().filter(unpruned, target=None, deleted=False).annotate(day=TruncDate("created_at"))
    said = said.filter(day__gte=days[0]).order_by()
    counts = dict(said.values_list("day").annotate(Count("pk")))
    since = {length: Q(day__gt=today - timedelta(days=length)) for length in (1, 7, DAYS)}
    senders = said.aggregate(
        **{f"last_{length}": Count("sender_key", distinct=True, filter=within) for length, within in since.items()}
    )
    periods = [
        Period(length, sum(counts.get(day, 0) for day in days[-length:]), senders[f"last_{length}"]) for length in since
    ]
    return Activity([(day, counts.get(day, 0)) for day in days], periods)
