"""Streams whose entries people read back: kept for a time and up to a number and so many bytes, deleted singly or all.

An entry leaves in two steps. Pruning and resetting raise `first_seq`, below which nothing is read any more;
then rows go, but a client's id stays for IDS_KEPT, emptied, so that what is sent again is still known.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models, router, transaction
from django.db.models.functions import Now

from realtime.access import Identity
from realtime.history_events import DeletedEvent, EntryEvent, Tombstone
from realtime.protocol import Event, Refused
from realtime.streams.batch import announce_on_commit
from realtime.streams.commit import commit
from realtime.streams.sizes import SizedEntry, SizedStream
from realtime.streams.stream import IDS_KEPT, PRUNED_AT_ONCE
from realtime.texts import clean_texts

DELETED_AT_ONCE = 100
"""Deletions in one transaction: what others send waits no longer than for that many."""


class History(SizedStream):
    """A stream with a history. Times are the database's: a wrong clock in one process prunes nothing."""

    keep_days = models.PositiveIntegerField(
        "days", default=30, help_text="Older entries are deleted. 0: they are kept whatever their age."
    )
    keep_entries = models.PositiveIntegerField(
        "entries", default=10_000, help_text="The newest that are kept. 0: they are kept however many there are."
    )

    moderate_permission: ClassVar[str] = ""
    """Who has it keeps order in those that they may read; "": nobody does."""

    class Meta(SizedStream.Meta):
        abstract = True

    def clean(self) -> None:
        """Refuse a title, or an app's description, that its readers should not read."""
        super().clean()
        clean_texts(self, "title", "description")

    def reset_history(self) -> None:
        """Delete all entries. Positions go on in a new epoch, and open sockets are told to begin anew."""
        using = router.db_for_write(type(self))
        with transaction.atomic(using=using):
            rows = type(self)._default_manager.using(using).filter(pk=self.pk)
            locked = rows.select_for_update(no_key=True).get()
            self.last_seq, self.first_seq = locked.last_seq, locked.last_seq + 1
            self.begin_epoch()
            rows.update(epoch=self.epoch, first_seq=self.first_seq, pruned_bytes=models.F("total_bytes"))
            self.tell_epoch()
        while self.discard():
            pass  # in steps: nobody's message waits for the lock of a long deletion

    def delete_each(self, deletions: "Sequence[Record]") -> list[Refused]:
        """Append many deletions, which have no ids, some to a transaction; returns why others were refused."""
        using = router.db_for_write(type(self))
        refused: list[Refused] = []
        for start in range(0, len(deletions), DELETED_AT_ONCE):
            with transaction.atomic(using=using):
                accepted = self._accept(deletions[start : start + DELETED_AT_ONCE], refused)
                outcome = commit(type(self), accepted)
                if failed := [result for result in outcome.results.values() if isinstance(result, Exception)]:
                    raise failed[0]
                announce_on_commit(outcome.batches, using)
        return refused

    def _accept(self, deletions: "Sequence[Record]", refused: list[Refused]) -> "list[Record]":
        """Lock the stream and empty what may be deleted: as Record.apply does, in few queries for all of them."""
        rows = type(self)._default_manager.using(router.db_for_write(type(self))).filter(pk=self.pk)
        rows = rows.select_for_update(no_key=True)
        said = self.appended().filter(target=None, deleted=False, seq__gte=rows.get().first_seq)
        targets: dict[int | None, Record] = {
            row.seq: row for row in said.filter(seq__in=[d.target for d in deletions]).only("seq", "sender_key")
        }
        accepted: list[Record] = []
        for deletion in deletions:
            deletion.stream = self
            try:
                deletion.require(targets.pop(deletion.target, None))
            except Refused as refusal:
                refused.append(refusal)
            else:
                deletion.is_applied = True
                accepted.append(deletion)
        self.empty([deletion.target for deletion in accepted])
        return accepted

    def empty(self, positions: "Sequence[int | None]") -> None:
        """Take away what entries say, and what they said before they were changed, or after."""
        model: type[Record] = self.entry_model
        self.appended().filter(seq__in=positions).update(**model.emptied)
        if model.changed_by is not None:
            self.appended().filter(target__in=positions).update(**model.emptied)

    def prune_step(self) -> bool:
        """Take away a part of what is past its time, number or bytes; True if there may be more."""
        first = self._first_to_keep()
        if first > self.first_seq:
            self.raise_first(first)
        return self.discard()

    def _first_to_keep(self) -> int:
        first = self.first_within(self.keep_bytes) if self.has_too_many_bytes else self.first_seq
        if self.keep_entries:
            first = max(first, self.last_seq - self.keep_entries + 1)
        if self.keep_days:
            young = self.appended().filter(seq__gte=first, created_at__gte=Now() - timedelta(days=self.keep_days))
            found = young.order_by("seq").values_list("seq", flat=True).first()
            first = found or self.last_seq + 1
        return first

    def discard(self) -> bool:
        """Delete rows that are read no more, and empty those whose ids are still to be known; a step of each."""
        unread = self.appended().filter(seq__lt=models.F("stream__first_seq")).order_by("seq")
        known = models.Q(client_id__isnull=False, created_at__gte=Now() - IDS_KEPT)
        gone = list(unread.exclude(known).values_list("pk", flat=True)[:PRUNED_AT_ONCE])
        left = list(unread.filter(known, deleted=False).values_list("pk", flat=True)[:PRUNED_AT_ONCE])
        self.appended().filter(pk__in=gone).delete()
        self.appended().filter(pk__in=left).update(**self.entry_model.emptied)
        return PRUNED_AT_ONCE in {len(gone), len(left)}


class Record(SizedEntry):
    """An entry of a history: something said, or what happened to it later: that it was changed, or deleted."""

    target = models.BigIntegerField(
        null=True, editable=False, help_text="For a deletion: the position of what it deletes."
    )
    deleted = models.BooleanField(default=False, editable=False)

    event_model: ClassVar[type[EntryEvent]]
    """What readers get of it; its fields are called as those of the entry."""
    says: ClassVar[tuple[str, ...]]
    """The fields of its content."""
    emptied: ClassVar[dict[str, Any]]
    """What a deletion writes over the content; `deleted` is among it."""
    changed_by: ClassVar[str | None] = None
    """Where entries may also write what they say over their target: a field that these have and a deletion has not."""
    may_moderate: Any = False  # an app may have a property of this name
    """Whoever deletes may delete what others said."""
    deletion_needs: Any = "write"  # likewise
    """What whoever deletes has to be allowed in the stream: an Action."""
    is_applied = False
    """What it does to its target is done already."""

    class Meta(SizedEntry.Meta):
        abstract = True

    def __str__(self) -> str:
        # Without what it says: Django's admin log keeps this for ever, also of what was deleted.
        return f"{self._meta.verbose_name} {self.seq} in {self.stream.name}"

    @classmethod
    def deleting(cls, sender: Identity, target: int, client_id: str | None = None) -> Self:
        """The deletion of the entry at a position, to be appended."""
        return cls.by(sender, client_id, target=target)

    @property
    def deletes(self) -> bool:
        """Whether it takes its target away, and does not just change it."""
        return self.target is not None and (self.changed_by is None or getattr(self, self.changed_by) is None)

    @property
    def rewrites(self) -> bool:
        """Whatever has a target does."""
        return self.target is not None

    def content(self) -> dict[str, Any]:
        """What idempotence compares."""
        said = {} if self.deletes else self.said()
        return said if self.target is None else {**said, "target": self.target}

    @property
    def size(self) -> int:
        """The bytes of its texts; those of a change stand in its target too."""
        return super().size * (1 if self.target is None else 2)

    def said(self) -> dict[str, Any]:
        """What the sender said, as JSON values."""
        return {name: getattr(self, name) for name in self.says}

    def said_event(self) -> Event:
        """What readers get of it, unless it is a deletion or was deleted."""
        return self.event_model(**self.said(), **self.told())

    def told(self) -> dict[str, Any]:
        """What an EntryEvent tells of every entry."""
        return {
            "seq": self.seq,
            "sender": self.sender_name,
            "sender_id": self.sender_id or None,
            "timestamp": self.created_at,
            "id": self.client_id,
            "target": self.target,
        }

    def as_event(self) -> Event:
        """What readers get: what was said, a tombstone in its place, or that something was deleted."""
        if self.target is not None and self.deletes:
            return DeletedEvent(
                seq=self.seq,
                target=self.target,
                by=self.sender_name,
                by_id=self.sender_id or None,
                timestamp=self.created_at,
                id=self.client_id,
            )
        event = self.said_event()
        if not self.deleted:
            return event
        return Tombstone(
            type=event.type,
            seq=self.seq,
            sender=self.sender_name,
            sender_id=self.sender_id or None,
            timestamp=self.created_at,
        )

    def apply(self) -> None:
        """Change the target, or take its content away, in the transaction that tells of it."""
        if self.target is None or self.is_applied:
            return
        rows = self.stream.appended().filter(seq=self.target, target=None, deleted=False)
        self.require(rows.first() if self.target >= self.stream.first_seq else None)
        if self.deletes:
            self.stream.empty([self.target])
        else:
            rows.update(**self.said())

    def require(self, found: "Record | None") -> None:
        """Raise Refused unless this may be done to what was found at its target."""
        kind = self._meta.verbose_name
        if found is None:
            raise Refused("not_found", f"There is no such {kind}.")
        if self.deletes and found.sender_key != self.sender_key and not self.may_moderate:
            raise Refused("forbidden", f"You may delete your own {kind}s only.")
