"""Mutes and bans: what somebody is kept from in a room, for how long and why. Room has the verbs that impose them."""

from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any, ClassVar, NamedTuple, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from realtime.access import Identity
from realtime.protocol import sayable
from realtime.texts import clean_texts


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

        @property
        def done(self) -> str:
            """What was done to whom it is for: `muted`, `banned`."""
            return "banned" if self == Sanction.Kind.BAN else "muted"

    room = models.ForeignKey("chat.Room", on_delete=models.CASCADE, related_name="sanctions")
    kind = models.CharField("what", max_length=4, choices=Kind.choices)
    identity_key = models.CharField(max_length=64, editable=False)
    name = models.CharField("who", max_length=150, editable=False)
    until = models.DateTimeField(null=True, blank=True, help_text="Empty: for good.")
    reason = models.CharField(
        max_length=200, blank=True, help_text="Whoever it is about reads it, and other moderators."
    )
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

    def clean(self) -> None:
        """Refuse a reason that whoever it is about should not read."""
        super().clean()
        clean_texts(self, "reason")

    @classmethod
    def imposed(
        cls, room: Any, kind: "Sanction.Kind", identity: Identity, by: Any, *, seconds: float | None, reason: str
    ) -> Self:
        """A new one, stored; by the database's clock. Room.sanction is the verb. Raises Refused for such a reason."""
        until = None if seconds is None else Now() + timedelta(seconds=seconds)
        made = cls(room=room, kind=kind, identity_key=identity.key, name=identity.name, by=by)
        made.until, made.reason = until, sayable(reason)
        made.save(force_insert=True)
        made.refresh_from_db(fields=["until"])
        return made

    def lift(self) -> None:
        """End it now; open sockets learn of it at once. Deleting it is the same: see chat.watch."""
        self.delete()


class InForce(NamedTuple):
    """A sanction that holds now."""

    kind: str
    seconds: float | None
    """How long it will; None: for good."""
    until: datetime | None
    reason: str

    @classmethod
    def of(cls, sanction: Sanction) -> Self:
        """What SanctionQuerySet.in_force found."""
        seconds = None if sanction.left is None else sanction.left.total_seconds()
        return cls(sanction.kind, seconds, sanction.until, sanction.reason)

    @property
    def weight(self) -> tuple[bool, float]:
        """What orders those of one person: bans before mutes, and what ends last before what ends sooner."""
        return self.kind != Sanction.Kind.BAN, -(inf if self.seconds is None else self.seconds)

    @property
    def words(self) -> str:
        """What the person reads: until when, and why."""
        what = "banned from" if self.kind == Sanction.Kind.BAN else "muted in"
        until = "" if self.until is None else f" until {self.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        reason = f" Reason: {self.reason}" if self.reason else ""
        return f"You are {what} this room{until}.{reason}"
