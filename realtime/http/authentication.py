"""Who asks over HTTP: the identity behind a bearer token, a session, or a guest's cookie, and how often it may ask."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.crypto import salted_hmac
from ninja.security.base import AuthBase

from realtime.access import Credential, Identity, Verify
from realtime.http.requests import SAFE, ApiRequest, network_of, read_body
from realtime.protocol import ErrorCode, Refused
from realtime.rates import cost_of, rates


class BadLogin(Refused):
    """Credentials were given that are not good, or none where some are needed."""

    def __init__(self, message: str, code: ErrorCode = "forbidden", retry_after: float | None = None) -> None:
        super().__init__(code, message, retry_after=retry_after)


class Authentication(AuthBase):
    """Gives every request its Identity: a user by a bearer token or the session cookie, else a guest.

    `authenticate` gives the usable token with a secret, which came from a network, `logged_in` the user whom
    cookies log in, and `guest_key` the key in a guest's cookie; each None where there is none. `verify` looks
    at logins again while a response goes on. A bearer wins over cookies. A guest without a cookie is known by
    their network. Cookies count on requests from pages of ours alone, and those of users need Django's CSRF
    token to change something.
    """

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __init__(
        self,
        authenticate: Callable[[str, str], Awaitable[Credential | None]],
        logged_in: Callable[[Mapping[str, str]], Awaitable[Identity | None]],
        guest_key: Callable[[Mapping[str, str]], str | None],
        verify: Verify | None = None,
    ) -> None:
        super().__init__()
        self._verify = verify
        self._authenticate = authenticate
        self._logged_in = logged_in
        self._guest_key = guest_key

    async def __call__(self, request: HttpRequest) -> Identity:
        """Raises Refused for a bad bearer, another site's page, no CSRF token, and too many requests."""
        identity = await self._identify(request)
        count_by(request, identity)
        request.verify = self._verify  # type: ignore[attr-defined]  # it is an ApiRequest from here on
        return identity

    async def _identify(self, request: HttpRequest) -> Identity:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return await self._by_token(secret.strip(), network_of(request))
        ours = _is_ours(request)
        if not ours and request.method not in SAFE and request.headers["Origin"] not in settings.ALLOWED_ORIGINS:
            raise Refused("forbidden", "Pages of this origin may not do that. Add it to ALLOWED_ORIGINS.")
        cookies = request.COOKIES if ours else {}
        identity = await self._logged_in(cookies)
        if identity is None:
            return Identity.of_guest(self._guest_key(cookies) or _address_key(request))
        if request.method not in SAFE:
            _check_csrf(request)
        return identity

    async def _by_token(self, secret: str, network: str) -> Identity:
        try:
            token = await self._authenticate(secret, network)
        except Refused as refusal:
            raise BadLogin(refusal.message, refusal.code, refusal.retry_after) from None
        if token is None:
            count_request(network)
            raise BadLogin("Invalid token")
        return Identity.of_user(token.owner, token)


class _CsrfCheck(CsrfViewMiddleware):
    """Django's own check, without the page it would answer with."""

    def _reject(self, _request: HttpRequest, reason: str) -> Any:
        raise Refused("forbidden", f"{reason} Send the CSRF cookie's value as X-CSRFToken.")


def _check_csrf(request: HttpRequest) -> None:
    read_body(request)  # while it is there: the token is looked for in a form too
    check = _CsrfCheck(lambda _: HttpResponse())
    request.csrf_processing_done = False  # type: ignore[attr-defined]  # the middleware's own mark
    check.process_request(request)
    check.process_view(request, HttpResponse, (), {})  # the view is only asked whether it is exempt


def _is_ours(request: HttpRequest) -> bool:
    """Whether no page, or one of this site's own, made the request (RFC 6454 §6.2)."""
    return request.headers.get("Origin") in {None, f"{request.scheme}://{request.get_host().lower()}"}


def is_foreign(request: HttpRequest) -> bool:
    """Whether another site's page made the request: by its Origin or by Sec-Fetch-Site, whichever says so.

    What sends neither is no page of a browser, or one too old to tell. ALLOWED_ORIGINS are not foreign.
    """
    if request.headers.get("Origin") in settings.ALLOWED_ORIGINS:
        return False
    return not _is_ours(request) or request.headers.get("Sec-Fetch-Site", "").lower() == "cross-site"


def _address_key(request: HttpRequest) -> str:
    """The key of a guest without a cookie, which tells nobody the address.

    It is made with the oldest of the site's keys: a new one makes nobody another guest, nor lifts a ban, before the
    old one is given up.
    """
    secret = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS][-1]
    return salted_hmac("chorus.guest.address", network_of(request), secret=secret).hexdigest()[:22]


def count_request(network: str) -> None:
    """Count a request that nobody is asked to log in for; raises Refused `rate_limited`."""
    rates.here().take(network)


def count_by(request: HttpRequest, identity: Identity) -> None:
    """Count a request, by the bytes of its body, for whoever asks: together with what their sockets send.

    Raises Refused `rate_limited`.
    """
    size = 0 if request.method in SAFE else len(read_body(request))
    rates.here().take(identity.key, cost_of(size), together=_guests(request, identity))


def owe(request: ApiRequest, cost: float) -> None:
    """Count what a request that was counted costs more, as so many others: the next ones wait for it."""
    rates.here().owe(request.auth.key, cost, together=_guests(request, request.auth))


def _guests(request: HttpRequest, identity: Identity) -> str:
    return "" if identity.user else network_of(request)
