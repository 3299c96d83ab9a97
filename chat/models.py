"""Rooms and their messages; what can be done to them is here."""

from collections import defaultdict
from collections.abc import Collection
from datetime import timedelta
from typing import Any, ClassVar, NamedTuple, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.functional import cached_property

from chat import events
from realtime.access import Action, Identity
from realtime.limits import check_length
from realtime.protocol import sayable
from realtime.streams import History, Record, StreamQuerySet


class RoomQuerySet(StreamQuerySet):
    """Rooms as visitors meet them."""

    def readable_by(self, identity: Identity) -> Self:
        """The rooms that `identity` may read."""
        found = super().readable_by(identity)
        banned = Sanction.objects.in_force().filter(identity_key=identity.key, kind=Sanction.Kind.BAN)
        return found if identity.is_superuser else found.exclude(pk__in=banned.values("room"))


class Room(History):
    """A place to talk. What is said is kept in order."""

    description = models.CharField(max_length=500, blank=True, help_text="A sentence about what is talked about here.")

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
        for sanction in self.in_force.get(identity.key, ()):
            if sanction.kind == Sanction.Kind.BAN:
                return "You are banned from this room."
            if action == "write":
                return "You are muted in this room."
        return None

    def changes_in(self, identity: Identity) -> float | None:
        """Seconds until the next of their sanctions ends."""
        return min(
            (each.seconds for each in self.in_force.get(identity.key, ()) if each.seconds is not None), default=None
        )

    @cached_property
    def in_force(self) -> "dict[str, list[InForce]]":
        """The sanctions that hold, by whom they are for, as of the first question."""
        return self._in_force_of([self.pk] if self.pk else [])[self.pk]

    @staticmethod
    def _in_force_of(pks: Collection[int]) -> "defaultdict[int, dict[str, list[InForce]]]":
        found: defaultdict[int, dict[str, list[InForce]]] = defaultdict(dict)
        for sanction in Sanction.objects.in_force().filter(room_id__in=pks) if pks else ():
            seconds = None if sanction.left is None else sanction.left.total_seconds()
            held = found[sanction.room_id].setdefault(sanction.identity_key, [])
            held.append(InForce(sanction.kind, seconds))
        return found

    @classmethod
    def with_access(cls, pks: Collection[int]) -> list[Self]:
        """As of any stream, and with the sanctions that hold."""
        rows, in_force = super().with_access(pks), cls._in_force_of(pks)
        for row in rows:
            row.in_force = in_force[row.pk]
        return rows

    def sanction(
        self, kind: "Sanction.Kind", identity: Identity, by: Any, *, seconds: float | None = None, reason: str = ""
    ) -> "Sanction":
        """Mute or ban somebody, for so many seconds or for good; their open sockets learn of it at once.

        Whether `by`, a user, may do that is the caller's to check.
        """
        until = None if seconds is None else Now() + timedelta(seconds=seconds)
        return Sanction.objects.create(
            room=self, kind=kind, identity_key=identity.key, name=identity.name, by=by, until=until, reason=reason
        )

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
        deletion.may_moderate = user is not None and user.has_perm("chat.moderate_room")
        return deletion

    def said_event(self) -> events.ChatEvent:
        """What the room's readers get."""
        return events.ChatEvent(message=self.text, **self.told())


class InForce(NamedTuple):
    """A sanction that holds now."""

    kind: str
    seconds: float | None
    """How long it will; None: for good."""


class SanctionQuerySet(models.QuerySet["Sanction"]):
    """Sanctions by their time."""

    def in_force(self) -> Self:
        """Those that hold, by the database's clock, with the time `left`."""
        held = models.Q(until=None) | models.Q(until__gt=Now())
        return self.filter(held).annotate(left=models.F("until") - Now())


class Sanction(models.Model):
    """Somebody may not write in a room, or not even read, for a time or for good."""

    class Kind(models.TextChoices):
        """What one is kept from."""

        MUTE = "mute", "may not write"
        BAN = "ban", "may not enter"

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="sanctions")
    kind = models.CharField("what", max_length=4, choices=Kind.choices)
    identity_key = models.CharField(max_length=64, editable=False)
    name = models.CharField("who", max_length=150, editable=False)
    until = models.DateTimeField(null=True, blank=True, help_text="Empty: for good.")
    reason = models.CharField(max_length=200, blank=True, help_text="For other moderators; nobody else reads it.")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField("since", auto_now_add=True)

    objects = SanctionQuerySet.as_manager()

    left: timedelta | None = None
    """How long it still held when it was read with SanctionQuerySet.in_force."""

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]
        verbose_name = "mute or ban"
        verbose_name_plural = "mutes and bans"

    def __str__(self) -> str:
        return f"{self.name} {self.get_kind_display()} in {self.room}"

    def lift(self) -> None:
        """End it now; open sockets learn of it at once. Deleting it is the same: see chat.watch."""
        self.delete()
