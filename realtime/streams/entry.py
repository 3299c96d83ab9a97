"""An entry of a stream: one event, stored in the order of commits."""

import hashlib
import json
from typing import Any, Self

from django.db import models

from realtime.access import Identity
from realtime.protocol import Event
from realtime.streams.batch import Stored


class Entry(models.Model):
    """One event in a stream. A concrete entry adds `stream`, a foreign key, and its content."""

    seq = models.BigIntegerField(editable=False)
    sender_key = models.CharField(max_length=64, editable=False)
    sender_name = models.CharField("sender", max_length=150, editable=False)
    client_id = models.CharField(max_length=64, null=True, editable=False)
    digest = models.CharField(max_length=32, editable=False)
    created_at = models.DateTimeField("sent", editable=False)

    stream: Any
    stream_id: int
    duplicate = False
    """Set on what `append` returns where the sender's id was known already."""

    class Meta:
        abstract = True

    @classmethod
    def by(cls, sender: Identity, client_id: str | None, **content: Any) -> Self:
        """An entry not yet stored."""
        return cls(sender_key=sender.key, sender_name=sender.name, client_id=client_id, **content)

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
