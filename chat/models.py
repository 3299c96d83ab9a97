"""Rooms and their messages; what can be done to them is here."""

from collections import defaultdict
from collections.abc import Collection
from datetime import timedelta
from typing import Any, ClassVar, NamedTuple, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.functional import cached_property

from chat import events
from realtime.access import Action, Identity
from realtime.limits import check_length
from realtime.protocol import printable
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

    objects = RoomQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        permissions = (("moderate_room", "Can delete anyone's messages, mute and ban people"),)

    def get_absolute_url(self) -> str:
        """The room's page."""
        return reverse("chat:room", args=[self.name])

    def post(self, sender: Identity, text: str, client_id: str | None = None) -> "Message":
        """Say something in the room; broadcast when the surrounding transaction commits.

        Returns the stored message, or the first one (`duplicate` set) if `client_id` was used before.
        Raises Refused `too_long` or `id_conflict`. Whether `sender` may write is the caller's to check.
        """
        message = self.append(Message.saying(sender, text, client_id))
        assert isinstance(message, Message)
        return message

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
        deletion = self.append(Message.deleting(sender, target, client_id))
        assert isinstance(deletion, Message)
        return deletion


class Message(Record):
    """Something said in a room, or the deletion of something said."""

    stream = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="messages", verbose_name="room")
    text = models.TextField()

    emptied: ClassVar[dict[str, Any]] = {"text": "", "deleted": True}

    class Meta:
        ordering: ClassVar[list[str]] = ["stream", "seq"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["stream", "seq"], name="chat_message_position"),
            models.UniqueConstraint(fields=["stream", "sender_key", "client_id"], name="chat_message_client_id"),
        ]

    def __str__(self) -> str:
        return f"{self.sender_name}: {self.text[:50]}"

    @classmethod
    def saying(cls, sender: Identity, text: str, client_id: str | None) -> Self:
        """A message to be appended; raises Refused `too_long` or `invalid`."""
        check_length(text)
        return cls.by(sender, client_id, text=printable(text))

    @classmethod
    def deleting(cls, sender: Identity, target: int, client_id: str | None = None) -> Any:
        """The deletion of a message, to be appended; moderators delete anyone's."""
        deletion = super().deleting(sender, target, client_id)
        user: Any = sender.user
        deletion.may_moderate = user is not None and user.has_perm("chat.moderate_room")
        return deletion

    def said(self) -> dict[str, Any]:
        """What idempotence compares."""
        return {"text": self.text}

    def as_event(self) -> "events.ChatEvent | events.DeletedEvent | events.Tombstone":
        """What the room's readers get."""
        if self.target is not None:
            return events.DeletedEvent(
                seq=self.seq,
                target=self.target,
                by=self.sender_name,
                timestamp=self.created_at,
                id=self.client_id,
            )
        if self.deleted:
            return events.Tombstone(seq=self.seq, sender=self.sender_name, timestamp=self.created_at)
        return events.ChatEvent(
            seq=self.seq,
            sender=self.sender_name,
            message=self.text,
            timestamp=self.created_at,
            id=self.client_id,
        )


Room.entry_model = Message


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
