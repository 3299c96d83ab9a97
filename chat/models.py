"""Rooms and their messages; what can be done to them is here."""

from typing import Any, ClassVar, Self

from django.db import models
from django.urls import reverse

from chat import events
from realtime.access import Identity
from realtime.conf import conf
from realtime.history import History, Record
from realtime.protocol import Refused, printable
from realtime.streams import StreamQuerySet


class Room(History):
    """A place to talk. What is said is kept in order."""

    description = models.CharField(max_length=500, blank=True, help_text="A sentence about what is talked about here.")

    objects = StreamQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        permissions = (("moderate_room", "Can delete anyone's messages"),)

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
        if conf.max_text and len(text) > conf.max_text:
            raise Refused("too_long", f"Message too long (max {conf.max_text} chars)")
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
