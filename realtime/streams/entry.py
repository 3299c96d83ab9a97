"""An entry of a stream: one event, stored in the order of commits."""

import hashlib
import json
from functools import cache
from typing import Any, ClassVar, Self, TypeVar

from django.db import models

from realtime.access import Identity
from realtime.protocol import Command, Event
from realtime.streams.batch import Stored


class Entry(models.Model):
    """One event in a stream. A concrete entry adds `stream`, a foreign key, and its content.

    One with a Meta of its own derives it from the base's, which holds that positions and ids are unique.
    """

    seq = models.BigIntegerField(editable=False)
    sender_key = models.CharField(max_length=64, editable=False)
    sender_name = models.CharField("sender", max_length=150, editable=False)
    sender_id = models.CharField(max_length=22, default="", db_default="", editable=False)
    """What readers know the sender by; a commit fills it in where nobody had asked yet."""
    client_id = models.CharField(max_length=64, null=True, editable=False)
    digest = models.CharField(max_length=32, editable=False)
    created_at = models.DateTimeField("sent", editable=False)

    stream: Any
    stream_id: int
    duplicate = False
    """Set on what `append` returns where the sender's id was known already."""

    class Meta:
        abstract = True
        ordering: ClassVar[list[str]] = ["stream", "seq"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["stream", "seq"], name="%(app_label)s_%(class)s_position"),
            models.UniqueConstraint(
                fields=["stream", "sender_key", "client_id"], name="%(app_label)s_%(class)s_client_id"
            ),
        ]

    @classmethod
    def by(cls, sender: Identity, client_id: str | None, **content: Any) -> Self:
        """An entry not yet stored."""
        said_by = {"sender_key": sender.key, "sender_name": sender.name, "sender_id": sender.sender_id}
        return cls(**said_by, client_id=client_id, **content)

    @classmethod
    def from_command(cls, sender: Identity, said: Command) -> Self:
        """An entry not yet stored, with the content of a command whose fields are called as the entry's."""
        return cls.by(sender, said.id, **said.model_dump(exclude={"action", "id"}))

    @property
    def is_kept(self) -> bool:
        """Whether a row stays; False where the stream's own row says all that matters."""
        return True

    def content(self) -> dict[str, Any]:
        """What the sender said, as JSON values: the same id with other content is a conflict."""
        raise NotImplementedError

    def as_event(self) -> Event:
        """This entry as its readers get it."""
        raise NotImplementedError

    def apply(self) -> None:
        """Do what this entry does to others; inside its transaction, the stream locked. May raise Refused."""

    def measure(self) -> None:
        """Called when it has its position, before it is stored; the stream is locked."""

    @property
    def rewrites(self) -> bool:
        """Tell whether this entry changed an earlier one."""
        return False

    def body_digest(self) -> str:
        """A short digest of the content, kept to tell a repeat from another message with a used id."""
        body = json.dumps(self.content(), sort_keys=True)
        return hashlib.blake2b(body.encode(), digest_size=16).hexdigest()

    def stored(self) -> Stored:
        """This entry, encoded."""
        event = self.as_event()
        return Stored(self.seq, event.type, event.encode(), self.rewrites)


AnyEntry = TypeVar("AnyEntry", bound=Entry)


@cache
def entry_model_of(stream: type[models.Model]) -> Any:
    """The concrete entry whose `stream` is this model; to be asked once all models are there."""
    relations = [each for each in stream._meta.related_objects if each.field.name == "stream"]
    return next(each.related_model for each in relations if issubclass(each.related_model, Entry))
