"""How often logins may fail: by user name and network, and by network alone, counted in Django's cache.

django-axes is what asks: its backend before any password is looked at, its middleware for the page that is
shown instead. Its own handlers count after an attempt, so that guesses at once outrun them, know one limit
for all counts, and forget an address's failures for one good password; so this is a handler of our own. A
password counts before it is tried and is taken back if it was good; one that another site's page sends is neither
tried nor counted, or a page could guess through its visitors, and lock their address out. A token counts when it
was bad, apart from passwords: it cannot be guessed, and is let in without a question to the cache, so that neither
an outage of it nor somebody else's failures at the same address lock out who has a good one.
"""

import asyncio
import hashlib
import logging
import time
from contextlib import suppress
from typing import Any

from axes.handlers.base import AxesHandler
from axes.helpers import get_client_username, get_cool_off
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

from realtime import db
from realtime.http import is_foreign
from realtime.http.requests import network_of
from realtime.log import log
from realtime.names import normal
from realtime.protocol import Refused

logger = logging.getLogger("chorus.accounts")

TOO_MANY = "Too many attempts"
FOREIGN = "Pages of other sites send no passwords here. Add their origin to ALLOWED_ORIGINS."


class Attempt:
    """One attempt to log in, in the window of time in which it was made; without a user name, by a token."""

    def __init__(self, network: str, username: str | None = None) -> None:
        self.username = username
        cool_off = get_cool_off()
        self._seconds = int(cool_off.total_seconds()) if cool_off else 0
        self._window = int(time.time() // self._seconds) if self._seconds else 0
        self._by_address = self._key("token" if username is None else "address", network)
        # One person however they write their name; a backend may not care for case.
        name = normal(username or "").casefold()
        self._by_user = self._key("user", name, network)

    def start(self) -> None:
        """Count it; raises Refused `rate_limited` for one too many, `unavailable` where it cannot be counted.

        What is refused for its user is not held against the address, which others may share.
        """
        if self.username is not None:
            self._take(self._by_user, settings.AXES_FAILURE_LIMIT)
        self._take(self._by_address, settings.LOGIN_FAILURES_PER_ADDRESS)

    def succeed(self) -> None:
        """Take it back: earlier failures of this user here are forgotten, those of the address stay."""
        try:
            cache.delete(self._by_user)
            with suppress(ValueError):  # its window is over
                cache.decr(self._by_address)
        except Exception as error:  # noqa: BLE001 - each kind of cache has errors of its own
            logger.warning("a good login could not be taken back (%s)", type(error).__name__)

    def _take(self, key: str, limit: int) -> None:
        if not (limit and self._seconds):
            return
        try:
            count = self._count(key)
        except Exception as error:
            logger.warning("logins cannot be counted (%s)", type(error).__name__)
            raise Refused("unavailable", "Logins are not possible now. Try again.") from error
        if count > limit:
            wait = (self._window + 1) * self._seconds - time.time()
            raise Refused("rate_limited", TOO_MANY, retry_after=round(max(wait, 1), 1))

    def _count(self, key: str) -> int:
        cache.add(key, 0, self._seconds)
        try:
            return cache.incr(key)
        except ValueError:  # it was dropped in between
            cache.set(key, 1, self._seconds)
            return 1

    def _key(self, kind: str, *who: str) -> str:
        digest = hashlib.sha256("\0".join(who).encode(errors="backslashreplace")).hexdigest()
        return f"chorus-login-{kind}-{digest}-{self._window}"


def refusal_of(attempt: Attempt, request: HttpRequest) -> Refused | None:
    """Count an attempt with a password, unless a foreign page sends it; returns why it may not be made, or None."""
    if is_foreign(request):
        return Refused("forbidden", FOREIGN)
    try:
        attempt.start()
    except Refused as refusal:
        return refusal
    return None


async def count_bad_token(network: str) -> None:
    """Count a bad token; raises Refused `rate_limited` for one too many, Unavailable where it cannot be counted."""
    try:
        await asyncio.wait_for(asyncio.to_thread(Attempt(network).start), db.WAIT_SECONDS)
    except TimeoutError:
        raise db.Unavailable("the cache did not answer in time") from None
    except Refused as refusal:
        if refusal.code == "unavailable":
            raise db.Unavailable("the cache is down") from refusal
        raise


class Attempts(AxesHandler):
    """For AXES_HANDLER. A request that is refused has `login_refusal`, which says why."""

    def is_allowed(self, request: Any, credentials: dict[str, Any] | None = None) -> bool:
        """Count an attempt with a password, and tell whether it may be made; none is that a foreign page sends."""
        name = str(get_client_username(request, credentials) or "")
        request.login_attempt = Attempt(network_of(request), name)
        refusal = refusal_of(request.login_attempt, request)
        if refusal is not None:
            request.login_refusal = refusal
        return refusal is None

    def user_login_failed(
        self, sender: object, credentials: dict[str, Any], request: Any = None, **kwargs: Any
    ) -> None:
        """Write the line about it; it is counted already."""
        attempt, refusal = getattr(request, "login_attempt", None), getattr(request, "login_refusal", None)
        why = refusal.message if refusal else "Wrong user name or password"
        request.is_logged = True
        log(logger, "login denied: %s", why, user=attempt.username if attempt else "", **_where(request))

    def user_logged_in(self, sender: object, request: Any, user: Any, **kwargs: Any) -> None:
        """Take the attempt back, if this login was one."""
        attempt = getattr(request, "login_attempt", None)
        if attempt is not None:
            attempt.succeed()
        log(logger, "login", user=user.get_username(), **_where(request))


def _where(request: HttpRequest) -> dict[str, object]:
    return {"route": request.path, "address": request.axes_ip_address}  # type: ignore[attr-defined]  # axes sets it
