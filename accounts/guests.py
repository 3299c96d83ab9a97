"""Guests: visitors without a login, known again by a signed cookie with a random key."""

import re
import secrets
from collections.abc import Mapping

from django.conf import settings
from django.core import signing
from django.core.validators import RegexValidator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

COOKIE = "chorus_guest"
MAX_AGE = 365 * 24 * 3600
"""Seconds a guest is known again."""

not_a_guest_name = RegexValidator(
    r"^guest-\d+\Z",
    message="Names like Guest-4711235 are kept for guests.",
    code="guest_name",
    inverse_match=True,
    flags=re.IGNORECASE,
)
"""Refuses, with ValidationError, a user name that looks like a guest's."""


def new_guest_key() -> str:
    """A random key of 22 characters."""
    return secrets.token_urlsafe(16)


def guest_key(cookies: Mapping[str, str]) -> str | None:
    """The key in our cookie, if we signed it less than MAX_AGE ago."""
    try:
        return _signer().unsign(cookies[COOKIE], max_age=MAX_AGE)
    except (KeyError, signing.BadSignature):
        return None


class GuestCookieMiddleware(MiddlewareMixin):
    """Sets `request.guest_key`, and gives guests who open a page the cookie that keeps it.

    Wants AuthenticationMiddleware before it. What is not a page for guests (an API, admin, files, redirects,
    errors) sets no cookie.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Read the guest's key from the cookie, or think of one."""
        request.guest_key = guest_key(request.COOKIES) or new_guest_key()  # type: ignore[attr-defined]

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Hand out the key where it is new and will be of use, and again where an old key of the site signed it."""
        if _is_page(request, response) and not _is_lasting(request.COOKIES) and request.user.is_anonymous:
            response.set_cookie(
                COOKIE,
                _signer().sign(request.guest_key),  # type: ignore[attr-defined]
                max_age=MAX_AGE,
                domain=settings.SESSION_COOKIE_DOMAIN,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response


def _is_page(request: HttpRequest, response: HttpResponseBase) -> bool:
    match = request.resolver_match
    return (
        response.status_code == 200
        and response.get("Content-Type", "").startswith("text/html")
        and match is not None
        and "admin" not in match.app_names
        and not request.path_info.startswith(("/api/", settings.STATIC_URL or "/static/"))
    )


def _signer(fallback_keys: list[str | bytes] | None = None) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt="chorus.guest", fallback_keys=fallback_keys)


def _is_lasting(cookies: Mapping[str, str]) -> bool:
    """Whether our cookie is signed with the site's present key, and so outlives those before it."""
    try:
        _signer([]).unsign(cookies[COOKIE], max_age=MAX_AGE)
    except (KeyError, signing.BadSignature):
        return False
    return True
