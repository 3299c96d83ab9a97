"""Whose connections one of staff sees and may end: by permission all, as a moderator those in the streams they keep."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import Any

from django.contrib.auth import get_user_model

from realtime.connections.control import disconnect, who
from realtime.connections.report import Overview, Row, Wanted
from realtime.models import Connection
from realtime.streams.moderation import keys_moderated_by, kinds_moderated_by, spared

VIEW = "realtime.view_connection"
END = "realtime.delete_connection"


class Sight:
    """What a user of admin may see and end."""

    def __init__(self, user: Any) -> None:
        self.user = user
        self.sees_all: bool = user.has_perm(VIEW)
        self.ends_all: bool = user.has_perm(END)

    @property
    def is_any(self) -> bool:
        """Whether they may see anything at all."""
        return self.sees_all or bool(kinds_moderated_by(self.user))

    @property
    def ends_any(self) -> bool:
        """Whether there may be anything that they may end."""
        return self.ends_all or bool(kinds_moderated_by(self.user))

    @cached_property
    def kept(self) -> frozenset[str]:
        """The keys of the streams in which they keep order."""
        return keys_moderated_by(self.user)

    def look(self, wanted: Wanted) -> Overview:
        """Those that are wanted, as far as they see them: a moderator neither addresses nor tokens."""
        if self.sees_all or self.ends_all:
            return who(wanted)
        found = who(replace(wanted, within=self.kept))
        rows = [self._narrowed(row) for row in found.rows if not self.kept.isdisjoint(row["streams"])]
        return replace(found, rows=rows)

    def _narrowed(self, row: Row) -> Row:
        streams = [key for key in row["streams"] if key in self.kept]
        return Row(**{**row, "address": "", "token": None, "token_name": "", "streams": streams})

    def endable(self, rows: Iterable[Row]) -> set[str]:
        """The ids of those that they may end: as a moderator nobody's who is spared."""
        rows = list(rows)
        if self.ends_all:
            return {row["id"] for row in rows}
        kept = [row for row in rows if not self.kept.isdisjoint(row["streams"])]
        users = get_user_model()._default_manager.in_bulk({row["user"] for row in kept if row["user"]})
        by_pk = {str(pk): user for pk, user in users.items()}
        return {row["id"] for row in kept if spared(self.user, by_pk.get(row["user"] or "")) is None}

    def named(self, target: Any) -> Any:
        """What an address chose, unless its name is none of theirs to know."""
        known = self.sees_all or isinstance(target, Connection) or getattr(target, "key", None) in self.kept
        return target if known else None

    def may_end(self, target: Any, rows: Iterable[Row]) -> bool:
        """Whether they may end what an address chose, open as `rows`: a moderator one connection at a time."""
        return self.ends_all or (isinstance(target, Connection) and bool(self.endable(rows)))

    def end(self, reason: str, matches: dict[str, Any], rows: Iterable[Row]) -> None:
        """Close what applies. A moderator's reach ends with their streams: of `rows`, those that they may end there."""
        if self.ends_all:
            disconnect(reason, **matches)
            return
        rows = list(rows)
        ids = self.endable(rows)
        for row in rows:
            if row["id"] in ids:
                for key in self.kept.intersection(row["streams"]):
                    disconnect(reason, connection=row["id"], stream=key)
