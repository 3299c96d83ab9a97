"""Tokens: how a program speaks for a user without the user's password."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.db import OperationalError, models
from django.db.models.functions import Now
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts import scopes as scope_rules
from accounts.conf import conf
from accounts.secret import SHOWN_CHARACTERS, digest, is_well_formed, new_secret
from realtime.connections import look_again
from realtime.texts import clean_texts
from realtime.words import counted

if TYPE_CHECKING:
    from django.contrib.auth.models import User

DEFAULT_DAYS = 90
MAX_DAYS = 3650


def parse_days(text: str) -> int | None:
    """Read a lifetime as people give it: a number of days, or `never` (None); raises ValidationError."""
    if text == "never":
        return None
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:9]) <= MAX_DAYS:
        raise ValidationError(f"Days: expected 1 to {MAX_DAYS}, or never; got {text!r}.", code="invalid")
    return int(text)


class TokenQuerySet(models.QuerySet["Token"]):
    """Tokens by what can be done with them."""

    def usable(self) -> Self:
        """Those neither revoked nor, by the database's clock, expired. Their owner may be deactivated."""
        in_time = models.Q(expires_at=None) | models.Q(expires_at__gt=Now())
        return self.filter(in_time, revoked_at=None)

    def timed(self) -> Self:
        """With the time each is still good for, by the database's clock."""
        return self.annotate(left=models.F("expires_at") - Now())


class Token(models.Model):
    """A named secret of one user, with what it may be used for and until when.

    Revoked and expired tokens stay, so that their owner can see what was there.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="chorus_tokens", verbose_name="owner"
    )
    name = models.CharField(
        max_length=100,
        validators=[ProhibitNullCharactersValidator()],
        help_text="What it is for, such as Backup script.",
    )
    prefix = models.CharField(max_length=SHOWN_CHARACTERS, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list, validators=[scope_rules.check])
    created_at = models.DateTimeField("created", db_default=Now(), editable=False)
    expires_at = models.DateTimeField("expires", null=True, blank=True, help_text="Empty: never.")
    last_used_at = models.DateTimeField("last used", null=True, editable=False)
    revoked_at = models.DateTimeField("revoked", null=True, editable=False)

    objects = TokenQuerySet.as_manager()

    volatile: ClassVar = frozenset({"last_used_at", "left", "noted"})
    """What differs between two readings and changes nothing of what it may do: see realtime.rows."""
    noted: bool
    """Whether its use was noted within the minute before it was read; on what `authenticate_all` finds."""
    left: timedelta | None = None
    """How long it was good for when it was read with TokenQuerySet.timed."""

    class Meta:
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def clean(self) -> None:
        """Refuse a name that others should not read: staff do."""
        clean_texts(self, "name")

    @classmethod
    @sensitive_variables("secret")
    def issue(
        cls, owner: "User", name: str, scopes: Sequence[str] = (), days: int | None = DEFAULT_DAYS
    ) -> "tuple[Token, str]":
        """Make a token; return it and its secret, which nobody can read again.

        Without `scopes` it may do all that its owner may; `days` of None means that it never expires.
        Raises ValidationError for a name or scope that cannot be, and where they have as many as one may.
        """
        cls.check_number(owner)
        secret = new_secret()
        token = cls(owner=owner, name=name, prefix=secret[:SHOWN_CHARACTERS], digest=digest(secret))
        token.scopes = list(dict.fromkeys(scopes)) or [scope_rules.EVERYTHING]
        token.clean_fields(exclude=["owner"])
        token.clean()
        if days is not None:
            token.expires_at = Now() + timedelta(days=days)
        token.save(force_insert=True)
        token.refresh_from_db(fields=["created_at", "expires_at"])
        return token, secret

    @classmethod
    def check_number(cls, owner: "User") -> None:
        """Raise ValidationError where somebody has as many usable tokens as one may have."""
        most = conf.tokens_per_user
        if most and cls.objects.usable().filter(owner=owner).count() >= most:
            said = f"{owner} has {counted(most, 'token')}, and may have no more. Revoke one first."
            raise ValidationError(said, code="limit")

    @classmethod
    @sensitive_variables("secret")
    def authenticate(cls, secret: str) -> "Token | None":
        """The token whose secret this is, with its owner, or None; the use is noted.

        None for a mistyped one (no query), an unknown, revoked or expired one, and one whose owner is
        deactivated. One query, and once a minute a second that notes the use.
        """
        token = cls.authenticate_all([secret]).get(secret)
        if token is not None and not token.noted:
            cls.note_use([token.pk])
        return token

    @classmethod
    @sensitive_variables("secrets")
    def authenticate_all(cls, secrets: Sequence[str]) -> "dict[str, Token]":
        """The usable tokens of active owners by their secrets, as `authenticate` finds them, in one query."""
        digests = {digest(secret): secret for secret in secrets if is_well_formed(secret)}
        if not digests:
            return {}
        noted = models.Q(last_used_at__gt=_a_minute_ago())
        tokens = cls.objects.usable().timed().select_related("owner").annotate(noted=noted)  # type: ignore[no-redef]  # declared for those who read it
        found = tokens.filter(digest__in=digests, owner__is_active=True)
        return {digests[token.digest]: token for token in found}

    @classmethod
    def note_use(cls, pks: Sequence[int]) -> None:
        """Note that tokens were used, unless it was noted within the last minute.

        A full disk or a locked database shuts nobody out: that it was used is only nice to know.
        """
        with suppress(OperationalError):
            cls.objects.filter(pk__in=pks).exclude(last_used_at__gt=_a_minute_ago()).update(last_used_at=Now())

    def revoke(self) -> None:
        """Make it useless from now on; one revoked before keeps its first time."""
        type(self).objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=Now())
        self.refresh_from_db(fields=["revoked_at"])
        look_again(users=[self.owner_id])

    def exceeds(self, other: "Token") -> bool:
        """Tell whether it may do more than `other`, or for longer: then it is no narrower form of that one."""
        longer = other.expires_at is not None and (self.expires_at is None or self.expires_at > other.expires_at)
        return longer or not all(other.allows(scope) for scope in self.scopes)

    def allows(self, scope: str) -> bool:
        """Tell whether its scopes cover `scope`: as full as the act is, so `chat:write:lobby`."""
        return any(scope_rules.covers(granted, scope) for granted in self.scopes)

    @property
    def seconds_left(self) -> float | None:
        """How long it was good for when it was read; None: for ever, or nobody asked."""
        return None if self.left is None else self.left.total_seconds()

    @property
    def is_usable(self) -> bool:
        """Whether it looks good for a page; what it opens is decided by `authenticate`."""
        return self.state == "active"

    @property
    def state(self) -> str:
        """For people: `active`, `revoked`, `expired` or `owner deactivated`, by this machine's clock."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= timezone.now():
            return "expired"
        return "active" if self.owner.is_active else "owner deactivated"


def _a_minute_ago() -> models.expressions.CombinedExpression:
    return Now() - timedelta(minutes=1)
