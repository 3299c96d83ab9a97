"""Who keeps order where: by the permission that a kind of stream names, in those of it that they may read."""

from typing import Any

from realtime.access import Identity
from realtime.streams.history import History
from realtime.streams.key import key_of
from realtime.streams.kinds import kinds


def kinds_moderated_by(user: Any) -> list[type[History]]:
    """The kinds of streams in which a user moderates."""
    found = [kind for kind in kinds() if issubclass(kind, History) and kind.moderate_permission]
    return [kind for kind in found if user.has_perm(kind.moderate_permission)]


def keys_moderated_by(user: Any) -> frozenset[str]:
    """The keys of the streams in which a user moderates; a query for each kind."""
    visitor = Identity.of_user(user)
    return frozenset(
        key_of(kind._meta.label_lower, pk)
        for kind in kinds_moderated_by(user)
        for pk in kind._default_manager.readable_by(visitor).values_list("pk", flat=True)
    )


def spared(by: Any, whom: Any) -> str | None:
    """Why the user `by` may not moderate the user `whom`, in words for them; None if they may. Guests are None."""
    if whom is None:
        return None
    if whom.is_superuser:
        return "Superusers may do everything: they can be neither muted nor banned."
    if by is not None and whom.pk == by.pk:
        return "This is you. Nobody moderates themselves."
    if whom.is_staff and not (by is not None and by.is_superuser):
        return f"{whom} is staff: only superusers moderate them."
    return None
