"""What a moderator does to somebody in a room: checked, done by the room's verbs, written into admin's log."""

from dataclasses import dataclass, replace
from typing import Any, Self

from chat.models import Room
from chat.sanctions import Sanction
from realtime.access import Identity, require
from realtime.admin_log import note
from realtime.protocol import Refused
from realtime.streams.moderation import spared

NOT_MODERATOR = "You do not moderate here. It takes the permission “moderate room”; the group Moderators has it."


@dataclass(frozen=True, slots=True)
class Moderator:
    """Somebody who keeps order in a room that they may read; see `Moderator.of`."""

    room: Room
    by: Identity

    @classmethod
    def of(cls, name: str, by: Identity) -> Self:
        """The moderator of the room of that name that `by` is. By a token they are it with `chat:moderate` alone.

        Raises Refused: `not_found` where they find no such room, `forbidden` where they may not read or moderate.
        """
        room: Room = Room.objects.open(name, by, make=False)
        scoped = by.token is None or by.token.allows(room.moderation_scope)
        require(replace(by, token=None) if scoped else by, "read", room)
        if not scoped:
            raise Refused("forbidden", f"This token's scopes do not include {room.moderation_scope}.")
        user: Any = by.user
        if user is None or not user.has_perm(room.moderate_permission):
            raise Refused("forbidden", NOT_MODERATOR)
        return cls(room, by)

    def spares(self, whom: Identity) -> str | None:
        """Why nothing is done to them, in words for the moderator; None if it may be."""
        return spared(self.by.user, whom.user)

    def impose(self, kind: Sanction.Kind, whom: Identity, *, seconds: float | None, reason: str) -> Sanction:
        """Mute or ban somebody, for so many seconds or for good. Raises Refused `forbidden` for who is spared."""
        self._check(whom)
        made = self.room.sanction(kind, whom, self.by.user, seconds=seconds, reason=reason)
        until = "for good" if made.until is None else f"until {made.until:%Y-%m-%d %H:%M} UTC"
        self._note(f"Imposed: {made} {until}. Reason: {reason}" if reason else f"Imposed: {made} {until}.")
        return made

    def lift(self, kind: Sanction.Kind, whom: Identity) -> None:
        """End a mute or ban. Raises Refused `not_found` where there is none, `forbidden` for who is spared."""
        self._check(whom)
        if not self.room.lift(kind, whom):
            raise Refused("not_found", f"{whom.name} is not {kind.done} here.")
        self._note(f"Lifted: {whom.name} {kind.label} in {self.room}.")

    def disconnect(self, whom: Identity) -> None:
        """Close their sockets in this room, and no others. Raises Refused `forbidden` for who is spared."""
        self._check(whom)
        self.room.disconnect(whom)
        self._note(f"Disconnected {whom.name} in {self.room}.")

    def _check(self, whom: Identity) -> None:
        if reason := self.spares(whom):
            raise Refused("forbidden", reason)

    def _note(self, what: str) -> None:
        note(self.by.user, self.room, what)
