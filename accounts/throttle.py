"""How often a password may be guessed, counted in Django's cache: by user name, and by address.

Every attempt counts before it is made, so that attempts at once cannot outrun the count; one that succeeds is
taken back. Counts are as shared as the cache is: several processes want one that all of them see.
"""

import hashlib
import logging
import time
import unicodedata
from contextlib import suppress
from dataclasses import dataclass

from django.core.cache import cache

from realtime.protocol import Refused

WINDOW_SECONDS = 600
PER_USER = 10
PER_ADDRESS = 50

logger = logging.getLogger("chorus.accounts")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to log in with a password."""

    username: str
    address: str

    def start(self) -> None:
        """Count it; raises Refused `rate_limited` for one too many, `unavailable` where the cache is down."""
        try:
            counted = [(_count(key), limit) for key, limit in self._limits()]
        except Exception as error:
            logger.warning("attempts to log in cannot be counted (%s)", type(error).__name__)
            raise Refused("unavailable", "Logins are not possible now. Try again.") from error
        if any(count > limit for count, limit in counted):
            who = {"address": self.address}
            logger.warning("too many attempts to log in as %.150r", self.username, extra=who)
            wait = round(WINDOW_SECONDS - time.time() % WINDOW_SECONDS, 1)
            raise Refused("rate_limited", "Too many attempts to log in. Wait a while.", retry_after=wait)

    def succeed(self) -> None:
        """Take it back: earlier failures of this user are forgotten, those of the address stay."""
        by_user, by_address = (key for key, _ in self._limits())
        cache.delete(by_user)
        with suppress(ValueError):  # its window is over
            cache.decr(by_address)

    def _limits(self) -> tuple[tuple[str, int], tuple[str, int]]:
        # One person however they write their name; a backend may not care for case.
        username = unicodedata.normalize("NFKC", self.username).casefold()
        return (_key("user", username), PER_USER), (_key("address", self.address), PER_ADDRESS)


def _key(kind: str, who: str) -> str:
    window = int(time.time() // WINDOW_SECONDS)
    return f"chorus-login-{kind}-{hashlib.sha256(who.encode()).hexdigest()}-{window}"


def _count(key: str) -> int:
    cache.add(key, 0, WINDOW_SECONDS)
    try:
        return cache.incr(key)
    except ValueError:  # it was dropped in between
        cache.set(key, 1, WINDOW_SECONDS)
        return 1
