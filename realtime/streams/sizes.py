"""Histories bounded by the bytes of their texts, pruned as they grow.

Each entry keeps how many bytes came before it, and its stream how many there were in all and before its first entry.
So to see what is kept costs nothing, and to find what has to go reads only that. What is deleted counts until it is
pruned: a history never has more than it may.
"""

from functools import partial
from typing import Any, ClassVar, cast

from django.db import models, router, transaction

from realtime.streams.entry import Entry
from realtime.streams.stream import Stream

KEEP_BYTES = 100_000_000
SPARED = 16
"""Of a large history a part in so many is pruned at once, so that not every message of a full one prunes."""
LARGE_BYTES = 1024 * 1024
MEASURED_AT_ONCE = 1000


def bytes_of(value: Any) -> int:
    """The bytes of the texts in a JSON value, as UTF-8."""
    if isinstance(value, str):
        return len(value.encode(errors="replace"))
    if isinstance(value, dict):
        return sum(map(bytes_of, value.values()))
    return sum(map(bytes_of, value)) if isinstance(value, list | tuple) else 0


class SizedStream(Stream):
    """A stream that holds so many bytes of texts and no more."""

    keep_bytes = models.PositiveBigIntegerField(
        "bytes",
        default=KEEP_BYTES,
        blank=True,
        help_text="The newest are kept whose texts have no more bytes together; a letter has one to four. Empty: "
        "100,000,000 (100 MB). 0: they are kept however long they are.",
    )
    total_bytes = models.BigIntegerField(default=0, db_default=0, editable=False)
    """Of all texts so far."""
    pruned_bytes = models.BigIntegerField(default=0, db_default=0, editable=False)
    """Of those before `first_seq`."""

    written_by_verbs: ClassVar[frozenset[str]] = Stream.written_by_verbs | {"total_bytes", "pruned_bytes"}

    class Meta(Stream.Meta):
        abstract = True

    def clean(self) -> None:
        """Left empty it is what new ones have."""
        super().clean()
        if cast("int | None", self.keep_bytes) is None:
            self.keep_bytes = KEEP_BYTES

    def head(self) -> dict[str, Any]:
        """Its bytes too."""
        return {**super().head(), "total_bytes": self.total_bytes}

    def settle(self, added: list[Entry]) -> None:
        """Show no more what is now too much; its rows go after the commit, up to a number."""
        super().settle(added)
        if self.has_too_many_bytes:
            using = router.db_for_write(type(self))
            spare = self.keep_bytes // SPARED if self.keep_bytes >= LARGE_BYTES else 0
            self.raise_first(self.first_within(self.keep_bytes - spare))
            transaction.on_commit(partial(self.discard), using=using, robust=True)

    @property
    def has_too_many_bytes(self) -> bool:
        """Tell whether something has to go."""
        return 0 < self.keep_bytes < self.total_bytes - self.pruned_bytes

    def first_within(self, limit: int) -> int:
        """The position from which on the texts have no more bytes than that; of the newest entry at most."""
        found = self.appended().filter(seq__gte=self.first_seq, bytes_before__gte=self.total_bytes - limit)
        first: int | None = found.order_by("seq").values_list("seq", flat=True).first()
        return first or self.last_seq

    def raise_first(self, first: int) -> None:
        """Let nothing be read before a position any more."""
        rows = type(self)._default_manager.using(router.db_for_write(type(self)))
        entries = self.entry_model._default_manager.filter(stream=models.OuterRef("pk"), seq=first)
        before = models.Subquery(entries.values("bytes_before"))
        pruned = models.functions.Coalesce(before, models.F("total_bytes"))
        # In another epoch, which may have begun since this copy was read, positions name other entries.
        mine = rows.filter(pk=self.pk, epoch=self.epoch, first_seq__lt=first)
        if mine.update(first_seq=first, pruned_bytes=pruned):
            self.first_seq = first

    def discard(self) -> bool:
        """Delete a part of the rows that are read no more; True if there may be more."""
        raise NotImplementedError


class SizedEntry(Entry):
    """An entry that knows how many bytes of texts came before it."""

    bytes_before = models.BigIntegerField(default=0, db_default=0, editable=False)

    class Meta(Entry.Meta):
        abstract = True

    @property
    def size(self) -> int:
        """The bytes of its texts, wherever they are stored."""
        return bytes_of(self.content())

    def measure(self) -> None:
        """Take its place among the bytes of its stream, which is locked."""
        self.bytes_before = self.stream.total_bytes
        self.stream.total_bytes += self.size


def measure_all(apps: Any, using: str, app: str, stream: str, entry: str, says: tuple[str, ...]) -> None:
    """For a migration: count the bytes of what was there before bytes were counted, in steps."""
    entries = apps.get_model(app, entry)._default_manager.using(using)
    for row in apps.get_model(app, stream)._default_manager.using(using).all():
        total, seq = 0, 0
        while some := list(entries.filter(stream=row, seq__gt=seq).order_by("seq")[:MEASURED_AT_ONCE]):
            for each in some:
                each.bytes_before = total
                total += bytes_of([getattr(each, name) for name in says])
            entries.bulk_update(some, ["bytes_before"])
            seq = some[-1].seq
        first = entries.filter(stream=row, seq__gte=row.first_seq).order_by("seq").first()
        counted = {"total_bytes": total, "pruned_bytes": total if first is None else first.bytes_before}
        apps.get_model(app, stream)._default_manager.using(using).filter(pk=row.pk).update(**counted)
