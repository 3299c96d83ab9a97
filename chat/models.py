"""Rooms and their messages; what can be done to them is here."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any, ClassVar, Self

from django.db import models, router, transaction
from django.utils.functional import cached_property

from chat import events
from chat.sanctions import InForce, Sanction
from realtime.access import Action, Identity, Restriction
from realtime.connections import BY_MODERATOR, disconnect
from realtime.limits import check_length
from realtime.protocol import sayable
from realtime.streams import History, Record, StreamQuerySet

__all__ = ["Message", "Room", "Sanction"]


class RoomQuerySet(StreamQuerySet):
    """Rooms as visitors meet them."""

    def readable_by(self, identity: Identity) -> Self:
        """The rooms that `identity` may read."""
        found = super().readable_by(identity)
        banned = Sanction.objects.in_force().filter(identity_key=identity.key, kind=Sanction.Kind.BAN)
        return found if identity.is_superuser else found.exclude(pk__in=banned.values("room"))

    def shown_to(self, user: Any) -> Self:
        """The rooms that staff see in admin: all, for who may change them and so let anybody in; else as anywhere."""
        return self if user.has_perm("chat.change_room") else self.readable_by(Identity.of_user(user))


class Room(History):
    """A place to talk. What is said is kept in order."""

    description = models.CharField(max_length=500, blank=True, help_text="A sentence about what is talked about here.")

    moderate_permission = "chat.moderate_room"

    objects: ClassVar[Any] = RoomQuerySet.as_manager()

    class Meta(History.Meta):
        permissions = (("moderate_room", "Can delete anyone's messages, mute and ban people"),)

    def post(self, sender: Identity, text: str, client_id: str | None = None) -> "Message":
        """Say something in the room; broadcast when the surrounding transaction commits.

        Returns the stored message, or the first one (`duplicate` set) if `client_id` was used before.
        Raises Refused `too_long` or `id_conflict`. Whether `sender` may write is the caller's to check.
        """
        return self.append(Message.saying(sender, text, client_id))

    def denies(self, identity: Identity, action: Action) -> str | None:
        """Why `identity` may not do this here: also because they were muted or banned."""
        refusal = super().denies(identity, action)
        if refusal is not None or identity.is_superuser:
            return refusal
        held = self.in_force.get(identity.key, ())
        for each in held:
            if each.kind == Sanction.Kind.BAN or action == "write":
                return each.words
        return None

    def restriction(self, identity: Identity) -> Restriction | None:
        """The ban that holds for them, else the mute."""
        held = () if identity.is_superuser else self.in_force.get(identity.key, ())
        seconds = min((each.seconds for each in held if each.seconds is not None), default=None)
        return Restriction(held[0].reason, held[0].until, seconds) if held else None

    @cached_property
    def in_force(self) -> dict[str, list[InForce]]:
        """The sanctions that hold, by whom they are for, bans first, as of the first question."""
        return self._in_force_of([self.pk] if self.pk else [])[self.pk]

    @staticmethod
    def _in_force_of(pks: Collection[int]) -> defaultdict[int, dict[str, list[InForce]]]:
        found: defaultdict[int, dict[str, list[InForce]]] = defaultdict(dict)
        for sanction in Sanction.objects.in_force().filter(room_id__in=pks) if pks else ():
            found[sanction.room_id].setdefault(sanction.identity_key, []).append(InForce.of(sanction))
        for held in found.values():
            for each in held.values():
                each.sort(key=lambda sanction: sanction.weight)
        return found

    @classmethod
    def with_access(cls, pks: Collection[int]) -> list[Self]:
        """As of any stream, and with the sanctions that hold."""
        rows, in_force = super().with_access(pks), cls._in_force_of(pks)
        for row in rows:
            row.in_force = in_force[row.pk]
        return rows

    def sanction(
        self, kind: Sanction.Kind, identity: Identity, by: Any, *, seconds: float | None = None, reason: str = ""
    ) -> Sanction:
        """Mute or ban somebody, for so many seconds or for good; their open sockets learn of it at once, and why.

        It takes the place of one of the same kind that holds for them here. Raises Refused `invalid` for a reason that
        nobody should read. Whether `by`, a user, may do that is the caller's to check.
        """
        with transaction.atomic(using=router.db_for_write(Sanction)):
            made = Sanction.imposed(self, kind, identity, by, seconds=seconds, reason=reason)
            self.sanctions.in_force().filter(kind=kind, identity_key=identity.key).exclude(pk=made.pk).delete()
        return made

    def lift(self, kind: Sanction.Kind, identity: Identity) -> bool:
        """End what of a kind holds for somebody; their open sockets learn of it at once. False where nothing did."""
        return self.sanctions.in_force().filter(kind=kind, identity_key=identity.key).delete()[0] > 0

    def disconnect(self, identity: Identity) -> None:
        """Close somebody's sockets in this room, in every process; they may come back."""
        disconnect(BY_MODERATOR, stream=self.key, identity=identity.key)

    @property
    def moderation_scope(self) -> str:
        """What the scopes of a moderator's token have to cover: `chat:moderate:lobby`."""
        return f"chat:moderate:{self.name}"

    def delete_message(self, sender: Identity, target: int, client_id: str | None = None) -> "Message":
        """Delete the message at a position: its text goes for good, and an entry tells of it.

        Raises Refused `not_found`, or `forbidden` unless it is the sender's own or they moderate.
        """
        return self.append(Message.deleting(sender, target, client_id))


class Message(Record):
    """Something said in a room, or the deletion of something said."""

    stream = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="messages", verbose_name="room")
    text = models.TextField()

    says = ("text",)
    emptied: ClassVar[dict[str, Any]] = {"text": "", "deleted": True}
    moderator: Identity | None = None
    """Who deletes, if they have the permission to moderate."""

    @classmethod
    def saying(cls, sender: Identity, text: str, client_id: str | None) -> Self:
        """A message to be appended; raises Refused `too_long` or `invalid`."""
        check_length(text)
        return cls.by(sender, client_id, text=sayable(text))

    @classmethod
    def deleting(cls, sender: Identity, target: int, client_id: str | None = None) -> Self:
        """The deletion of a message, to be appended; moderators delete anyone's."""
        deletion = super().deleting(sender, target, client_id)
        user: Any = sender.user
        if user is not None and user.has_perm(Room.moderate_permission):
            deletion.moderator = sender
        return deletion

    @property
    def may_moderate(self) -> bool:
        """Whether whoever deletes may delete what others said: also by what their token is for."""
        by = self.moderator
        return by is not None and (by.token is None or by.token.allows(self.stream.moderation_scope))

    @property
    def deletion_needs(self) -> Action:
        """Who moderates deletes wherever they may read."""
        return "read" if self.may_moderate else "write"

    def said_event(self) -> events.ChatEvent:
        """What the room's readers get."""
        return events.ChatEvent(message=self.text, **self.told())
