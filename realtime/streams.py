"""Streams and their entries: what is stored, in an order that is the order of commits.

Plain synchronous Django. A concrete Stream (a room, a topic) and its Entry (a message, a notification)
live in the apps; `Stream.append`, and the journal for sockets, are the only ways to add an entry.
"""

import hashlib
import json
import secrets
import string
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, router, transaction

from realtime import fanout
from realtime.access import AccessLevel, Identity
from realtime.batch import PAGE, Snapshot, Stored
from realtime.commit import commit
from realtime.protocol import Event

validate_name = RegexValidator(
    r"\A[a-z0-9][a-z0-9._-]{0,63}\Z",
    "Use 1 to 64 lower-case letters, digits, dots, underscores and hyphens, a letter or digit first.",
)


def is_name(text: str) -> bool:
    """Tell whether `text`, already lower-cased, may name a stream."""
    try:
        validate_name(text)
    except ValidationError:
        return False
    return True


def new_epoch() -> str:
    """A fresh epoch: positions of another epoch mean nothing in this one."""
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(8))


class Stream(models.Model):
    """A named, ordered, durable sequence of entries. Its row lock makes sequence order commit order."""

    name = models.CharField(max_length=64, unique=True, validators=[validate_name], help_text=validate_name.message)
    title = models.CharField(max_length=200, blank=True, help_text="What people read; any characters.")
    epoch = models.CharField(max_length=16, default=new_epoch, editable=False)
    last_seq = models.BigIntegerField(default=0, editable=False)
    first_seq = models.BigIntegerField(default=1, editable=False)
    guest_access = models.CharField(
        "guests may", max_length=5, choices=AccessLevel.choices, default=AccessLevel.for_guests
    )
    member_access = models.CharField(
        "members may", max_length=5, choices=AccessLevel.choices, default=AccessLevel.WRITE
    )
    created_at = models.DateTimeField(auto_now_add=True)

    entry_model: ClassVar[Any]
    """The concrete Entry; set beside it, since it refers to its stream."""
    written_by_verbs: ClassVar[frozenset[str]] = frozenset({"epoch", "last_seq", "first_seq"})

    clock: datetime
    """The database's time, on rows that a commit has locked."""

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title or self.name

    @property
    def key(self) -> str:
        """Names this stream among all: `chat.room:5`."""
        return f"{self._meta.label_lower}:{self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, but never a position: a form that was open while entries came would rewind it."""
        if not self._state.adding and kwargs.get("update_fields") is None:
            kwargs["update_fields"] = [
                field.name
                for field in self._meta.concrete_fields
                if not field.primary_key and field.name not in self.written_by_verbs
            ]
        super().save(*args, **kwargs)

    def append(self, entry: "Entry") -> "Entry":
        """Store one entry from synchronous code and announce it once the surrounding transaction commits.

        Returns the stored entry, or the first one if its sender used this id before; raises Refused.
        """
        using = router.db_for_write(type(self))
        entry.stream = self
        with transaction.atomic(using=using):
            outcome = commit(type(self), [entry])
            result = outcome.results[0]
            if isinstance(result, Exception):
                raise result

            def announce() -> None:  # a function with a name, which Django puts into its log if it fails
                for batch in outcome.batches:
                    fanout.announce(batch)

            transaction.on_commit(announce, using=using, robust=True)
        return result

    def appended(self) -> models.QuerySet["Entry"]:
        """This stream's entries."""
        entries: models.QuerySet[Entry] = self.entry_model._default_manager.filter(stream=self)
        return entries

    def since(self, after: int, *, until: int) -> list[Stored]:
        """Up to PAGE entries after one position and not after another, oldest first."""
        found = self.appended().filter(seq__gt=after, seq__lte=until)
        return [entry.stored() for entry in found.order_by("seq")[:PAGE]]

    def history(self, *, before: int | None = None, limit: int = 50) -> tuple[list[Stored], bool]:
        """The newest entries (before a position), oldest first, and whether older ones exist."""
        found = self.appended()
        if before is not None:
            found = found.filter(seq__lt=before)
        page = list(found.order_by("-seq")[: limit + 1])
        return [entry.stored() for entry in reversed(page[:limit])], len(page) > limit

    @classmethod
    def read(cls, pk: int, after: int | None = None) -> Snapshot | None:
        """Read the row, and up to PAGE entries after a position (None: the newest), in one statement.

        Returns None where the stream no longer exists.
        """
        entries = cls.entry_model._default_manager.filter(stream_id=pk)
        if after is None:
            chosen = entries.order_by("-seq").values("pk")[:PAGE]
        else:
            chosen = entries.filter(seq__gt=after).order_by("seq").values("pk")[:PAGE]
        run = cls.entry_model._default_manager.filter(pk__in=chosen).select_related("stream").order_by("seq")
        found = list(run.all())
        row = found[0].stream if found else cls._default_manager.filter(pk=pk).first()
        if row is not None and not found and row.last_seq > (after or 0):
            # The row tells of entries that were not there: they came between the two statements, or were pruned.
            found = list(run.all())
            row = found[0].stream if found else row
        if row is None:
            return None
        return Snapshot(row.epoch, row.first_seq, row.last_seq, [entry.stored() for entry in found])

    @classmethod
    def heads(cls, pks: Iterable[int]) -> dict[int, tuple[str, int]]:
        """Epoch and last position of many streams in one query; one that is gone is not there."""
        rows = cls._default_manager.filter(pk__in=list(pks)).values_list("pk", "epoch", "last_seq")
        return {pk: (epoch, last_seq) for pk, epoch, last_seq in rows}

    @classmethod
    def renew_epoch(cls, pk: int, epoch: str) -> None:
        """Give the stream a new epoch unless somebody already did: positions of the old one are void."""
        cls._default_manager.filter(pk=pk, epoch=epoch).update(epoch=new_epoch())


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
