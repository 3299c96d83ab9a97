"""Whose tokens staff may touch: nobody's who may do something that they may not do themselves."""

from copy import copy
from typing import Any

from realtime.streams.grants import GRANT_FIELDS, granted_to
from realtime.streams.kinds import kinds


def has_rights_of(actor: Any, owner: Any) -> bool:
    """Tell whether `actor` may do all that `owner` may: by permissions, and on streams that name people.

    A deactivated owner counts as active: their tokens speak again once they are. What everybody has of their own
    (the topic `me`) does not count. A few queries for each kind of stream.
    """
    if actor.is_superuser or actor.pk == owner.pk:
        return True
    return not owner.is_superuser and _permissions(owner) <= _permissions(actor) and _streams(owner) <= _streams(actor)


def _permissions(user: Any) -> set[str]:
    awake = copy(user)
    awake.is_active = True
    found: set[str] = awake.get_all_permissions()
    return found


def _streams(user: Any) -> set[tuple[type, int, str]]:
    """The streams that name them or a group of theirs; who is named to write reads too."""
    found: set[tuple[type, int, str]] = set()
    for model in kinds():
        for field in GRANT_FIELDS:
            verbs = ("read", "write") if field.startswith("writer") else ("read",)
            found |= {
                (model, pk, verb) for row in granted_to(model, field, user) for pk in row.values() for verb in verbs
            }
    return found
