"""Who speaks on a socket or in a request, and what they may do to a stream."""

import hashlib
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol, Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models

from realtime.protocol import CloseCode, Refused
from realtime.rows import says_the_same

Action = Literal["read", "write"]


class AccessLevel(models.TextChoices):
    """What a kind of visitor may do in a stream."""

    NONE = "none", "nothing"
    READ = "read", "read"
    WRITE = "write", "read and write"

    @classmethod
    def for_guests(cls) -> Self:
        """What guests may do in a new stream: write in development, read in production."""
        return cls.WRITE if settings.DEBUG else cls.READ

    def covers(self, action: Action) -> bool:
        """Tell whether this level allows an action."""
        return self == AccessLevel.WRITE or (self == AccessLevel.READ and action == "read")


class Restriction(NamedTuple):
    """What somebody imposed on somebody else in a stream, so that they may not write there. They are told of it."""

    reason: str
    """In the words of who imposed it; perhaps empty."""
    until: datetime | None
    """None: for good."""
    seconds: float | None
    """Until it ends, or something else that was imposed on them; None: nothing does."""


class Guarded(Protocol):
    """What is asked of a stream to know who may do what there; realtime.streams.stream.Stream is one."""

    def scope(self, action: Action) -> str:
        """What a token's scopes have to cover: `chat:write:lobby`."""

    def denies(self, identity: "Identity", action: Action) -> str | None:
        """Why `identity` may not do this, in words for them; None if they may. A token's scopes are no matter here."""

    def hidden(self) -> str | None:
        """What somebody is told who may do nothing in it, as if it were not there; None: that they may not."""

    def restriction(self, identity: "Identity") -> Restriction | None:
        """What was imposed on them here; None: nothing. Only its end lets `denies` answer otherwise with time."""


class Credential(Protocol):
    """What this package asks of a token; accounts.Token is one."""

    @property
    def owner(self) -> AbstractBaseUser:
        """Who speaks by it."""

    @property
    def pk(self) -> Any:
        """Which one it is."""

    @property
    def seconds_left(self) -> float | None:
        """How long it was good for when it was read; None: for ever."""

    def allows(self, scope: str) -> bool:
        """Tell whether the token's scopes cover `scope`, such as `chat:write`."""


class Login(NamedTuple):
    """How a user came to speak: what has to be looked at again to know that they still may."""

    user: Any
    """The primary key."""
    token: Any = None
    """The primary key of the token they speak by."""
    session: str | None = None
    """The key of the session that logged them in."""


def guest_name(guest_key: str, attempt: int = 0) -> str:
    """What a guest is called: seven digits, which are how the key looks; others for another attempt."""
    looks = hashlib.sha256(f"{attempt} {guest_key}".encode()).digest()
    return f"Guest-{int.from_bytes(looks[:8]) % 9_000_000 + 1_000_000}"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is speaking: a user, perhaps by a token, or a guest."""

    key: str
    """What idempotence and presence go by: `user:7`, or `guest:` and a random key."""
    name: str
    """What others read: `alice`, `Guest-4711235`."""
    user: AbstractBaseUser | None = None
    token: Credential | None = None
    session: str | None = None
    """The key of the session that logged them in."""
    sender_id: str = ""
    """What others know them by, whatever their name; empty where nobody has asked yet. See realtime.people."""

    @classmethod
    def of_user(cls, user: AbstractBaseUser, token: Credential | None = None, session: str | None = None) -> Self:
        """A logged-in user."""
        return cls(f"user:{user.pk}", user.get_username(), user, token, session)

    @classmethod
    def of_guest(cls, guest_key: str | None = None) -> Self:
        """A guest by their random key; without one a new guest."""
        guest_key = guest_key or secrets.token_urlsafe(16)
        return cls(f"guest:{guest_key}", guest_name(guest_key))

    @property
    def login(self) -> Login | None:
        """How they came to speak; None for a guest."""
        if self.user is None:
            return None
        return Login(self.user.pk, None if self.token is None else self.token.pk, self.session)

    def is_of(self, now: "Identity") -> bool:
        """Tell whether all that was read of them says what was read `now`: who this is need not be kept twice."""
        same = (self.key, self.name, self.session) == (now.key, now.name, now.session)
        return same and says_the_same(self.user, now.user) and says_the_same(self.token, now.token)

    def has_scope(self, action: Action, stream: Guarded) -> bool:
        """Tell whether their token, if they speak by one, is for this; what its owner may is another question."""
        return self.token is None or self.token.allows(stream.scope(action))

    @property
    def is_superuser(self) -> bool:
        """Whether they may all, as far as their token lets them."""
        return bool(getattr(self.user, "is_superuser", False))


Verify = Callable[[Collection[Login]], Mapping[Login, "Identity | str"]]
"""Looks at logins again, in few queries: the identity as it is now, or in words why it is none any more."""


def denial(identity: Identity, action: Action, stream: Guarded) -> str | None:
    """Why `identity` may not do this to `stream`, in words that its reader can act on; None if they may.

    The one place that decides. A token narrows what its owner may do to its scopes, and never widens it.
    Synchronous: it may read the database.
    """
    if not identity.has_scope(action, stream):
        return f"This token's scopes do not include {stream.scope(action)}."
    return stream.denies(identity, action)


def require(identity: Identity, action: Action, stream: Guarded) -> None:
    """Raise Refused, with its reason, unless `identity` may do this to `stream`. Synchronous.

    To somebody who may do nothing there, a private stream answers as one that does not exist.
    """
    Rights(identity, stream).require(action)


class Rights:
    """What one identity may do in one stream, as last looked at: commands ask this, and not the database."""

    __slots__ = ("_hidden", "_until", "read", "restriction", "seconds", "write")

    def __init__(self, identity: Identity, stream: Guarded) -> None:
        self.read = denial(identity, "read", stream)
        """Why they may not; None if they may."""
        self.write = denial(identity, "write", stream)
        self._hidden = stream.hidden() if self.read and self.write else None
        self.restriction = stream.restriction(identity)
        """What was imposed on them, so that they may not write."""
        self.seconds = self.restriction and self.restriction.seconds
        """After how long time alone changes them; None: it does not."""
        self._until = None if self.seconds is None else time.monotonic() + self.seconds

    @property
    def stale(self) -> bool:
        """Whether time alone has changed them, so that they have to be looked at again."""
        return self._until is not None and time.monotonic() >= self._until

    def require(self, action: Action) -> None:
        """Raise Refused, with its reason, unless this is among them."""
        reason = self.read if action == "read" else self.write
        if reason is None:
            return
        if self._hidden is not None:
            raise Refused("not_found", self._hidden, close=CloseCode.NO_SUCH_STREAM)
        raise Refused("forbidden", reason, close=CloseCode.NOT_ALLOWED if action == "read" else None)
