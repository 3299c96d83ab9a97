"""Streams: what is stored, in an order that is the order of commits.

Plain synchronous Django. A concrete Stream (a room, a topic) and its Entry (a message, a notification)
live in the apps; `Stream.append`, and the journal for sockets, are the only ways to add an entry.
"""

import secrets
import string
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models, router, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.functional import cached_property, classproperty

from realtime.access import AccessLevel, Action, Identity, Restriction
from realtime.streams.batch import PAGE, Batch, Head, Snapshot, Stored, announce_on_commit
from realtime.streams.commit import commit
from realtime.streams.entry import AnyEntry, Entry, entry_model_of
from realtime.streams.grants import NO_GRANTS, Grants, grants_of
from realtime.streams.key import key_of
from realtime.streams.name import validate_name
from realtime.streams.queries import StreamQuerySet, missing
from realtime.streams.replay import newest

IDS_KEPT = timedelta(hours=24)
"""How long a client's id is known at least: what it sends again within this time is stored once."""
PRUNED_AT_ONCE = 1000
"""Rows one transaction of pruning takes away; a step is short enough for a message to wait for."""


def new_epoch() -> str:
    """A fresh epoch: positions of another epoch mean nothing in this one."""
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(8))


unpruned = Q(seq__gte=models.F("stream__first_seq"))
"""Entries that may be read: others are about to go, or stay for their ids alone."""


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
    readers = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="+", verbose_name="people who may read"
    )
    reader_groups = models.ManyToManyField(
        "auth.Group", blank=True, related_name="+", verbose_name="groups that may read"
    )
    writers = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="+", verbose_name="people who may read and write"
    )
    writer_groups = models.ManyToManyField(
        "auth.Group", blank=True, related_name="+", verbose_name="groups that may read and write"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    contiguous: ClassVar[bool] = True
    """Readers need every entry; False where the newest says it all."""
    written_by_verbs: ClassVar[frozenset[str]] = frozenset({"epoch", "last_seq", "first_seq"})

    objects = StreamQuerySet.as_manager()

    clock: datetime
    """The database's time, on rows that a commit has locked."""

    class Meta:
        abstract = True
        ordering: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.title or self.name

    def get_absolute_url(self) -> str:
        """Its page: the one called `app:model`, with the name."""
        return reverse(f"{self._meta.app_label}:{self._meta.model_name}", args=[self.name])

    @classproperty
    def entry_model(cls) -> Any:  # noqa: N805 - it is the class's
        """The concrete Entry, whose `stream` is this."""
        return entry_model_of(cls)

    @property
    def key(self) -> str:
        """Names this stream among all: `chat.room:5`."""
        return key_of(self._meta.label_lower, self.pk)

    @property
    def public_name(self) -> str:
        """What its readers call it."""
        return self.name

    def scope(self, action: Action) -> str:
        """What a token's scopes have to cover: `chat:write:lobby`."""
        return f"{self._meta.app_label}:{action}:{self.name}"

    def denies(self, identity: Identity, action: Action) -> str | None:
        """Why `identity` may not do this here, in words for them; None if they may. Superusers may all."""
        if identity.is_superuser:
            return None
        if identity.user is None:
            allowed = AccessLevel(self.guest_access).covers(action)
            return None if allowed else f"Guests may not {action} here. Log in first."
        if AccessLevel(self.member_access).covers(action) or self.grants.cover(identity, action):
            return None
        return f"Members may not {action} here."

    def hidden(self) -> str | None:
        """What somebody is told who may do nothing here: of a private stream what is told of one that is not there.

        In development, where the first visitor makes what is not there, nothing can be hidden so.
        """
        private = self.guest_access == self.member_access == AccessLevel.NONE
        return missing(type(self)) if private and not settings.DEBUG else None

    def restriction(self, identity: Identity) -> Restriction | None:
        """What was imposed on them here; in a stream where nothing can be, nothing."""
        return None

    @cached_property
    def grants(self) -> Grants:
        """Whom this stream lets in beyond its levels, as of the first question."""
        return NO_GRANTS if self._state.adding else grants_of(type(self), [self.pk])[self.pk]

    @classmethod
    def with_access(cls, pks: Collection[int]) -> list[Self]:
        """The streams of these keys that exist, with all that `denies` asks the database for: a few queries."""
        rows = list(cls._default_manager.filter(pk__in=pks))
        grants = grants_of(cls, pks)
        for row in rows:
            row.grants = grants[row.pk]
        return rows

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, but never a position: a form that was open while entries came would rewind it."""
        if not self._state.adding and kwargs.get("update_fields") is None:
            kwargs["update_fields"] = [
                field.name
                for field in self._meta.concrete_fields
                if not field.primary_key and field.name not in self.written_by_verbs
            ]
        super().save(*args, **kwargs)

    def append(self, entry: AnyEntry) -> AnyEntry:
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
            announce_on_commit(outcome.batches, using)
        assert isinstance(result, type(entry))
        return result

    def begin_epoch(self) -> None:
        """Take a new epoch, which is still to be written: positions of the old one are void."""
        self.epoch = new_epoch()

    def head(self) -> dict[str, Any]:
        """What a commit writes to the locked row."""
        return {"last_seq": self.last_seq, "epoch": self.epoch}

    def shown(self, added: list[Entry]) -> list[Stored]:
        """What readers get of entries that commit together."""
        return [entry.stored() for entry in added]

    def settle(self, added: list[Entry]) -> None:
        """Do what else belongs into the transaction that added entries."""

    def appended(self) -> models.QuerySet[Any]:
        """This stream's rows, also those that are read no more."""
        entries: models.QuerySet[Any] = self.entry_model._default_manager.filter(stream=self)
        return entries

    def since(self, after: int, *, until: int) -> list[Stored]:
        """Up to PAGE entries after one position and not after another, oldest first."""
        found = self.appended().filter(unpruned, seq__gt=after, seq__lte=until)
        return [entry.stored() for entry in found.order_by("seq")[:PAGE]]

    def history(self, *, before: int | None = None, limit: int = 50) -> tuple[list[Stored], bool]:
        """The newest entries (before a position), oldest first, at most a frame full; and whether older ones exist."""
        found = self.appended().filter(unpruned)
        if before is not None:
            found = found.filter(seq__lt=before)
        return newest(found, limit)

    @classmethod
    def read(cls, pk: int, after: int | None = None, limit: int | None = None) -> Snapshot | None:
        """Read the row, and up to `limit` or PAGE entries after a position (None: the newest), in one statement.

        Returns None where the stream no longer exists.
        """
        entries = cls.entry_model._default_manager.filter(unpruned, stream_id=pk)
        if after is None:
            chosen = entries.order_by("-seq").values("pk")[: limit or PAGE]
        else:
            chosen = entries.filter(seq__gt=after).order_by("seq").values("pk")[: limit or PAGE]
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
    def heads(cls, pks: Iterable[int]) -> dict[int, Head]:
        """Where many streams stand, in one query; one that is gone is not there."""
        rows = cls._default_manager.filter(pk__in=list(pks)).values_list("pk", "epoch", "first_seq", "last_seq")
        return {pk: Head(epoch, first_seq, last_seq) for pk, epoch, first_seq, last_seq in rows}

    @classmethod
    def renew_epoch(cls, pk: int, epoch: str) -> None:
        """Give the stream a new epoch unless somebody already did: positions of the old one are void."""
        renewed = cls()
        renewed.pk = pk
        renewed.begin_epoch()
        if cls._default_manager.filter(pk=pk, epoch=epoch).update(epoch=renewed.epoch):
            renewed.tell_epoch()

    def tell_epoch(self) -> None:
        """Tell all processes of a new epoch once the surrounding transaction commits."""
        announce_on_commit([Batch(self.key, self.epoch, 0, 0)], router.db_for_write(type(self)))

    def prune_step(self) -> bool:
        """Take away a part of what is past its time, if anything ever is; True if there may be more."""
        return False
