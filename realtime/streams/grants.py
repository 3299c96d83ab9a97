"""Whom a stream lets in beyond its levels for guests and members: people and groups."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from realtime.access import Action, Identity


def granted_to(model: Any, name: str, user: Any) -> Any:
    """The keys of streams whose field of that name holds the user, or one of their groups."""
    field = model._meta.get_field(name)
    own = user.groups.values("pk") if name.endswith("groups") else [user.pk]
    rows = field.remote_field.through._default_manager.filter(**{f"{field.m2m_reverse_field_name()}__in": own})
    return rows.values(field.m2m_field_name())


def _granted_in(model: Any, name: str, pks: Collection[int]) -> Mapping[int, frozenset[Any]]:
    """By stream, the keys of the users or groups in its field of that name; one query."""
    field = model._meta.get_field(name)
    stream = field.m2m_field_name()
    rows = field.remote_field.through._default_manager.filter(**{f"{stream}__in": pks})
    found: dict[int, set[Any]] = defaultdict(set)
    for pk, granted in rows.values_list(stream, field.m2m_reverse_field_name()):
        found[pk].add(granted)
    return {pk: frozenset(granted) for pk, granted in found.items()}


@dataclass(frozen=True, slots=True)
class Grants:
    """Whom a stream lets in beyond its levels: primary keys of users and groups."""

    readers: frozenset[Any]
    writers: frozenset[Any]
    reader_groups: frozenset[Any]
    writer_groups: frozenset[Any]

    def cover(self, identity: Identity, action: Action) -> bool:
        """Tell whether they let this user do that."""
        user: Any = identity.user
        if user.pk in self.writers or (action == "read" and user.pk in self.readers):
            return True
        groups = self.writer_groups | self.reader_groups if action == "read" else self.writer_groups
        return bool(groups) and any(group.pk in groups for group in user.groups.all())


NO_GRANTS = Grants(frozenset(), frozenset(), frozenset(), frozenset())
GRANTS: dict[Action, tuple[str, str]] = {
    "read": ("readers", "reader_groups"),
    "write": ("writers", "writer_groups"),
}
"""The fields that let users and groups in. Who may write may read."""
GRANT_FIELDS = (*GRANTS["read"], *GRANTS["write"])


def grants_of(model: Any, pks: Collection[int]) -> dict[int, Grants]:
    """The grants of many streams, in four queries."""
    found = {name: _granted_in(model, name, pks) if pks else {} for name in GRANT_FIELDS}
    return {pk: Grants(**{name: granted.get(pk, frozenset()) for name, granted in found.items()}) for pk in pks}
