"""Who speaks on a socket or in a request, and what they may do to a stream."""

import secrets
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models

from realtime.protocol import CloseCode, Refused

if TYPE_CHECKING:
    from realtime.streams import Stream

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


class Credential(Protocol):
    """What this package asks of a token; accounts.Token is one."""

    @property
    def owner(self) -> AbstractBaseUser:
        """Who speaks by it."""

    def allows(self, scope: str) -> bool:
        """Tell whether the token's scopes cover `scope`, such as `chat:write`."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is speaking: a user, perhaps by a token, or a guest."""

    key: str
    """What idempotence and presence go by: `user:7`, or `guest:` and a random key."""
    name: str
    """What others read: `alice`, `Guest-1234`."""
    user: AbstractBaseUser | None = None
    token: Credential | None = None

    @classmethod
    def of_user(cls, user: AbstractBaseUser, token: Credential | None = None) -> Self:
        """A logged-in user."""
        return cls(f"user:{user.pk}", user.get_username(), user, token)

    @classmethod
    def of_guest(cls, guest_key: str | None = None) -> Self:
        """A guest by their random key; without one a new guest. The four digits are how the key looks."""
        guest_key = guest_key or secrets.token_urlsafe(16)
        return cls(f"guest:{guest_key}", f"Guest-{zlib.crc32(guest_key.encode()) % 9000 + 1000}")


def check(identity: Identity, action: Action, stream: "Stream") -> None:
    """Raise Refused, with a reason that its reader can act on, unless `identity` may do this to `stream`.

    A token narrows what its owner may do to its scopes, and never widens it.
    """
    scope = stream.scope(action)
    reason: str | None = None
    if identity.token is not None and not identity.token.allows(scope):
        reason = f"This token's scopes do not include {scope}."
    elif not getattr(identity.user, "is_superuser", False):
        reason = stream.denies(identity, action)
    if reason is not None:
        raise Refused("forbidden", reason, close=CloseCode.NOT_ALLOWED if action == "read" else None)
