"""What means nothing any more, and goes with pruning: ids of people whom nothing names and nobody asks for."""

from collections.abc import Collection, Mapping
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.db.models.functions import Now

from realtime.models import Person
from realtime.streams.kinds import kinds
from realtime.streams.stream import PRUNED_AT_ONCE

IDLE = timedelta(days=7)
"""A guest who wrote nothing and stays away for so long is somebody new when they come back."""
USER, GUEST = "user:", "guest:"


def people() -> bool:
    """Look at some who were not seen for long, and delete guests and former users whom no entry names.

    True if there may be more. Who is kept counts as seen, so that the next step looks at others.
    """
    prunable = Q(key__startswith=GUEST) | Q(key__startswith=USER)  # programs are few, and come back
    idle = Person.objects.filter(prunable, seen_at__lt=Now() - IDLE)
    some = dict(idle.order_by("seen_at").values_list("sender_id", "key")[:PRUNED_AT_ONCE])
    kept = _named(some.keys()) | _users(some)
    Person.objects.filter(pk__in=kept).update(seen_at=Now())
    idle.filter(pk__in=some.keys() - kept).delete()  # but for those who have just come back
    return len(some) == PRUNED_AT_ONCE


def _named(sender_ids: Collection[str]) -> set[str]:
    entries = [kind.entry_model._default_manager.filter(sender_id__in=sender_ids) for kind in kinds()]
    return {sender_id for found in entries for sender_id in found.values_list("sender_id", flat=True).distinct()}


def _users(people: Mapping[str, str]) -> set[str]:
    by_pk = {key.removeprefix(USER): sender_id for sender_id, key in people.items() if key.startswith(USER)}
    found = get_user_model()._default_manager.filter(pk__in=by_pk).values_list("pk", flat=True)
    return {by_pk[str(pk)] for pk in found}
