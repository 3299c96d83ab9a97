"""By which id others know whom: random, stored once for each user and each guest who comes back, and never derived.

What a guest's key is good for ends with the connection unless a cookie keeps it; such a guest has an id of their own,
which is stored nowhere but in what they write.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.db import OperationalError
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Now

from realtime.gathered import Gathered
from realtime.models import Person, new_sender_id
from realtime.per_loop import PerLoop
from realtime.rates import Buckets

SEEN = timedelta(days=1)
"""That somebody was looked up is noted again after so long."""
NEWCOMERS_PER_SECOND, NEWCOMERS_AT_ONCE = 1.0, 200
"""New guests of one network who get an id that is stored."""


def ids_of(keys: Collection[str]) -> dict[str, str]:
    """The ids of people by their Identity.key; who has none gets one. Synchronous: a query, or three."""
    found = _stored(keys)
    # In one order everywhere, or two transactions could wait for each other.
    if new := sorted(set(keys) - found.keys()):
        Person.objects.bulk_create([Person(key=key) for key in new], ignore_conflicts=True)
        found |= _stored(new)
    return found


async def id_of(key: str, network: str) -> str:
    """The id of one person, who comes from a network; a crowd is looked up together.

    Where a network sends more new guests than a crowd would, or the database takes nothing, theirs is stored nowhere.
    """
    found = await _known.get(key)
    if found is None and _welcome(key, network):
        found = await _made.get(key)
    return found or new_sender_id()


def _stored(keys: Collection[str]) -> dict[str, str]:
    return dict(Person.objects.filter(key__in=keys).values_list("key", "sender_id"))


def _look_up(keys: Sequence[str]) -> Mapping[str, str]:
    """What is stored, noting that it was asked for: what nobody asks for and nothing names is pruned."""
    found = Person.objects.filter(key__in=keys)
    rows = list(found.annotate(old=Q(seen_at__lt=Now() - SEEN)).values_list("key", "sender_id", "old"))
    if old := [sender_id for _, sender_id, is_old in rows if is_old]:
        with suppress(OperationalError):  # a full disk shuts nobody out
            Person.objects.filter(pk__in=old).update(seen_at=Now())
    return {key: sender_id for key, sender_id, _ in rows}


def _make(keys: Sequence[str]) -> Mapping[str, str]:
    try:
        return ids_of(keys)
    except OperationalError:  # nor does it keep anybody from reading
        return {}


_known: Gathered[str, str] = Gathered(_look_up)
_made: Gathered[str, str] = Gathered(_make)
_newcomers: PerLoop[Buckets] = PerLoop(Buckets)


def _welcome(key: str, network: str) -> bool:
    """Whether somebody new is stored: users are, and guests unless their network sends too many."""
    if not key.startswith("guest:"):
        return True
    bucket = _newcomers.here().of(network, NEWCOMERS_AT_ONCE)
    if bucket.wait(NEWCOMERS_PER_SECOND, NEWCOMERS_AT_ONCE):
        return False
    bucket.spend(1)
    return True


def give_ids(apps: Any, using: str, app_label: str, model_name: str, batch: int = 1000) -> None:
    """Fill in the senders' ids of a model's old entries; for a migration, with its historical models.

    In steps that each hold `batch` rows for a moment, so the migration must not be atomic; again is no harm.
    """
    people = apps.get_model("realtime", "Person")._default_manager.using(using)
    entries = apps.get_model(app_label, model_name)._default_manager.using(using).filter(sender_id="").order_by("pk")
    last = 0
    while rows := list(entries.filter(pk__gt=last).values_list("pk", "sender_key")[:batch]):
        keys = {key for _, key in rows}
        new = sorted(keys - set(people.filter(key__in=keys).values_list("key", flat=True)))
        people.bulk_create([people.model(key=key) for key in new], ignore_conflicts=True)
        theirs = people.filter(key=OuterRef("sender_key")).values("sender_id")[:1]
        entries.filter(pk__gt=last, pk__lte=rows[-1][0]).order_by().update(sender_id=Subquery(theirs))
        last = rows[-1][0]
