"""Counters and their changes; what can be done to them is here."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models.functions import Now

from counter import events
from realtime.access import Identity
from realtime.protocol import Refused
from realtime.streams import IDS_KEPT, PRUNED_AT_ONCE, Entry, Snapshot, Stored, Stream
from realtime.texts import clean_texts


class Counter(Stream):
    """A number that everyone sees change. Its version, `last_seq`, rises by one with every change."""

    value = models.BigIntegerField(default=0, editable=False)

    written_by_verbs: ClassVar[frozenset[str]] = Stream.written_by_verbs | {"value"}
    contiguous: ClassVar[bool] = False

    class Meta(Stream.Meta):
        permissions = (("set_counter", "Can set a counter to any value"),)

    def clean(self) -> None:
        """Refuse a title that others should not read."""
        super().clean()
        clean_texts(self, "title")

    def add(self, sender: Identity, delta: int, client_id: str | None = None) -> "Change":
        """Add a number; everyone is told when the surrounding transaction commits.

        Returns the change with the value and version right after it, or the first one (`duplicate` set) if
        `client_id` was used before. Raises Refused `invalid` for a delta or a value out of bounds.
        """
        return self.append(Change.of(sender, delta, client_id))

    def set_to(self, sender: Identity, value: int, reason: str) -> "Change":
        """Set the value, keeping who did it and why. Raises Refused `invalid` for a value out of bounds."""
        return self.append(Change.by(sender, None, target=value, reason=reason))

    def head(self) -> dict[str, Any]:
        """What a commit writes to the row."""
        return {**super().head(), "value": self.value}

    def state(self) -> Stored:
        """Where it stands, encoded."""
        event = events.StateEvent(value=self.value, version=self.last_seq)
        return Stored(self.last_seq, event.type, event.encode())

    def shown(self, _: list[Entry]) -> list[Stored]:
        """Changes that commit together show as one state."""
        return [self.state()]

    def settle(self, added: list[Entry]) -> None:
        """Note where it stands in this minute."""
        minute = self.clock.replace(second=0, microsecond=0)
        Sample.objects.bulk_create(
            [Sample(counter=self, minute=minute, value=self.value)],
            update_conflicts=True,
            unique_fields=["counter", "minute"],
            update_fields=["value"],
        )

    def last_hour(self) -> list[tuple[datetime, int]]:
        """Its value minute by minute over the last hour by the database's clock, oldest first; gaps are left out."""
        since = Now() - timedelta(hours=1)
        return list(self.samples.filter(minute__gte=since).order_by("minute").values_list("minute", "value"))

    def prune_step(self) -> bool:
        """Take away samples and the changes of clicks whose ids need not be known any more; staff's reasons stay."""
        self.samples.filter(minute__lt=Now() - IDS_KEPT).delete()
        # The oldest first, whatever their time: a search by time would read all the young ones each hour.
        clicks = self.appended().filter(reason="").order_by("seq").annotate(age=Now() - models.F("created_at"))
        oldest = clicks.values_list("pk", "age")[:PRUNED_AT_ONCE]
        gone = [pk for pk, age in oldest if age > IDS_KEPT]
        self.appended().filter(pk__in=gone).delete()
        return len(gone) == PRUNED_AT_ONCE

    def since(self, after: int, *, until: int) -> list[Stored]:
        """Nothing: the newest state says it all."""
        return []

    @classmethod
    def read(cls, pk: int, after: int | None = None, limit: int | None = None) -> Snapshot | None:
        """The row: its state is all that a reader needs."""
        row = cls.objects.filter(pk=pk).first()
        if row is None:
            return None
        news = [] if after is not None and row.last_seq <= after else [row.state()]
        return Snapshot(row.epoch, row.last_seq, row.last_seq, news)


class Change(Entry):
    """A change of a counter. Only those with an id, or a reason, are kept."""

    stream = models.ForeignKey(Counter, on_delete=models.CASCADE, related_name="changes", verbose_name="counter")
    delta = models.BigIntegerField()
    value = models.BigIntegerField("value after it")
    reason = models.CharField(max_length=200, blank=True)

    class Meta(Entry.Meta):
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["stream", "seq"], name="counter_change_version"),
            models.UniqueConstraint(fields=["stream", "sender_key", "client_id"], name="counter_change_client_id"),
        ]

    target: int | None = None
    """For a set: the value it is to have."""

    def __init__(self, *args: Any, target: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.target = target

    def __str__(self) -> str:
        return f"{self.delta:+d}"

    @classmethod
    def of(cls, sender: Identity, delta: int, client_id: str | None) -> Self:
        """A change to be appended; raises Refused `invalid`."""
        if not delta or abs(delta) > events.MAX_DELTA:
            message = f"expected a number other than 0 between -{events.MAX_DELTA} and {events.MAX_DELTA}"
            raise Refused("invalid", f"delta: {message}", fields={"delta": message})
        return cls.by(sender, client_id, delta=delta)

    @property
    def is_kept(self) -> bool:
        """Clicks without an id leave no row."""
        return self.client_id is not None or bool(self.reason)

    def content(self) -> dict[str, Any]:
        """What idempotence compares."""
        return {"delta": self.delta}

    def apply(self) -> None:
        """Count; the row is locked."""
        counter: Counter = self.stream
        if self.target is not None:
            self.delta = self.target - counter.value
        value = counter.value + self.delta
        if abs(value) > events.MAX_VALUE:
            raise Refused("invalid", f"The value must stay between -{events.MAX_VALUE} and {events.MAX_VALUE}.")
        counter.value = self.value = value

    def as_event(self) -> events.Ack:
        """What its sender gets."""
        return events.Ack(
            id=self.client_id or "", value=self.value, version=self.seq, duplicate=True if self.duplicate else None
        )


class Sample(models.Model):
    """Where a counter stood in a minute, for the line on its page."""

    counter = models.ForeignKey(Counter, on_delete=models.CASCADE, related_name="samples")
    minute = models.DateTimeField()
    value = models.BigIntegerField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["counter", "minute"], name="counter_sample_minute"),
        ]

    def __str__(self) -> str:
        return f"{self.minute:%H:%M} {self.value}"
