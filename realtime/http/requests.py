"""HTTP as the sockets speak: who asks, how often, what they ask, and what they are answered.

An app's `api.py` has a ninja Router of thin asynchronous views: parse, do what a socket does, reply. They
need an ASGI server, whose hub tells of what they commit. `config/api.py` mounts them, or a team's own.
"""

import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.crypto import salted_hmac
from ninja.errors import ValidationError
from ninja.security.base import AuthBase
from pydantic import TypeAdapter

from realtime import db
from realtime.access import Credential, Identity, Verify
from realtime.conf import conf
from realtime.limits import CommandRate
from realtime.log import log
from realtime.per_loop import PerLoop
from realtime.protocol import (
    ClientId,
    Command,
    ErrorCode,
    ErrorEvent,
    Message,
    Refused,
    client_id,
    parse_object,
    validate,
)
from realtime.scope import client_address

STATUS = {
    "bad_json": 400,
    "invalid": 400,
    "forbidden": 403,
    "not_found": 404,
    "unsupported_action": 405,
    "id_conflict": 409,
    "too_long": 413,
    "rate_limited": 429,
    "unavailable": 503,
}
"""HTTP status by error code; `forbidden` is 401 where a login would help."""
ERRORS: dict[Any, Any] = {frozenset({400, 401, 403, 404, 409, 413, 429, 503}): ErrorEvent}
"""For a ninja operation's `response`."""
GUESTS_TOO: dict[str, Any] = {"security": [{}]}
"""For a ninja operation's `openapi_extra`: who sends no bearer may ask as well."""
TEXT = {"type": "string"}
HEADERS = {"Idempotency-Key": TypeAdapter(ClientId).json_schema()}
"""Headers that are not any text, as JSON Schema."""
RETRY_SECONDS = 5
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
RATES_KEPT = 10_000

C = TypeVar("C", bound=Command)
logger = logging.getLogger("chorus.http")


class ApiRequest(HttpRequest):
    """A request behind Authentication."""

    auth: Identity
    verify: Verify | None
    """What looks at `auth`'s login again, for a response that goes on."""


class BadLogin(Refused):
    """Credentials were given that are not good, or none where some are needed."""

    def __init__(self, message: str, code: ErrorCode = "forbidden", retry_after: float | None = None) -> None:
        super().__init__(code, message, retry_after=retry_after)


# Who asks.


class Authentication(AuthBase):
    """Gives every request its Identity: a user by a bearer token or the session cookie, else a guest.

    `authenticate` gives the usable token with a secret, which came from an address, `logged_in` the user whom
    cookies log in, and `guest_key` the key in a guest's cookie; each None where there is none. `verify` looks
    at logins again while a response goes on. A bearer wins over cookies. A guest without a cookie is known by
    their address. Cookies count on requests from pages of ours alone, and those of users need Django's CSRF
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
        count_request(identity.key if identity.user else address_of(request))
        request.verify = self._verify  # type: ignore[attr-defined]  # it is an ApiRequest from here on
        return identity

    async def _identify(self, request: HttpRequest) -> Identity:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return await self._by_token(secret.strip(), address_of(request))
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

    async def _by_token(self, secret: str, address: str) -> Identity:
        try:
            token = await self._authenticate(secret, address)
        except Refused as refusal:
            raise BadLogin(refusal.message, refusal.code, refusal.retry_after) from None
        if token is None:
            count_request(address)
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


def address_of(request: HttpRequest) -> str:
    """The client's address; see realtime.scope.client_address."""
    forwarded = request.headers.get("X-Forwarded-For", "").encode("latin-1", "replace")
    peer = request.META.get("REMOTE_ADDR", "")
    return client_address({"client": (peer,), "headers": [(b"x-forwarded-for", forwarded)]})


def _address_key(request: HttpRequest) -> str:
    """The key of a guest without a cookie, which tells nobody the address."""
    return salted_hmac("chorus.guest.address", address_of(request)).hexdigest()[:22]


_rates: PerLoop[dict[str, CommandRate]] = PerLoop(dict)


def count_request(holder: str) -> None:
    """Count a request of a user's key or a guest's address; raises Refused `rate_limited`."""
    rates = _rates.here()
    rate = rates[holder] = rates.pop(holder) if holder in rates else CommandRate()  # the last to ask is last
    if len(rates) > RATES_KEPT:
        del rates[next(iter(rates))]
    rate.take()


# What they ask.


def read_body(request: HttpRequest) -> bytes:
    """The request's body; raises Refused `too_long` where a socket would refuse the frame."""
    try:
        body = request.body
    except RequestDataTooBig:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    else:
        limit = conf.max_frame_bytes
        if not limit or len(body) <= limit:
            return body
    raise Refused("too_long", f"The body is too big (max {limit} bytes)")


def header(request: HttpRequest, name: str) -> str | None:
    """A header as text: UTF-8, as curl sends what is typed, else Latin-1."""
    value = request.headers.get(name)
    if value is None:
        return None
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def read_object(request: HttpRequest) -> dict[str, Any]:
    """The JSON object in the body, whatever its content type; raises Refused `bad_json`."""
    try:
        text = read_body(request).decode()
    except UnicodeDecodeError:
        raise Refused("bad_json", "Expected a JSON object in UTF-8") from None
    return parse_object(text)


def command(request: HttpRequest, model: type[C], value: Mapping[str, Any]) -> C:
    """A typed command of what the body says; `Idempotency-Key` is its client id. Raises Refused `invalid`."""
    key = header(request, "Idempotency-Key")
    return validate(model, value if key is None else {**value, "id": key})


def takes(model: type[Command], *headers: str) -> dict[str, Any]:
    """For a ninja operation's `openapi_extra`: its body is this command, without what address and headers say."""
    schema = model.model_json_schema()
    for name in ("action", "topic", "id"):
        schema["properties"].pop(name, None)
    schema["required"] = [name for name in schema.get("required", ()) if name in schema["properties"]]
    return {
        **GUESTS_TOO,
        "parameters": [{"in": "header", "name": name, "schema": HEADERS.get(name, TEXT)} for name in headers],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
    }


# What they are answered.


def reply(message: Message, status: int = 200) -> HttpResponse:
    """A message as JSON, as a socket would send it."""
    return reply_json(message.model_dump_json(exclude_none=True), status)


def reply_json(text: str, status: int = 200) -> HttpResponse:
    """Ready JSON as it is."""
    return HttpResponse(text, status=status, content_type="application/json")


def refusal_of(error: Exception, request: HttpRequest) -> Refused:
    """What went wrong in the words of the protocol."""
    match error:
        case Refused():
            return error
        case db.Unavailable() | OperationalError() | InterfaceError():
            unknown = "" if request.method in SAFE else ", so whether this happened is unknown"
            hint = "" if request.method in SAFE else " with the same Idempotency-Key"
            message = f"Storage is not available{unknown}. Send it again{hint}."
            return Refused("unavailable", message, retry_after=RETRY_SECONDS)
        case ValidationError():
            fields = {str(problem["loc"][-1]): problem["msg"].removeprefix("Value error, ") for problem in error.errors}
            summary = "; ".join(f"{name}: {message}" for name, message in fields.items())
            return Refused("invalid", f"Invalid request: {summary}", fields=fields)
        case Http404():
            return Refused("not_found", "There is nothing here.")
        case _:
            return Refused("invalid", f"This request cannot be read: {error}")


REFUSALS: tuple[type[Exception], ...] = (
    Refused,
    db.Unavailable,
    OperationalError,
    InterfaceError,
    ValidationError,
    Http404,
    BadRequest,
    SuspiciousOperation,
    MultiPartParserError,
)


def _log_refusal(request: HttpRequest, refusal: Refused) -> None:
    """One line for a denial or a limit, unless who denied it wrote a better one (`request.is_logged`)."""
    if refusal.code not in {"forbidden", "rate_limited"} or getattr(request, "is_logged", False):
        return
    what = "login denied: %s" if isinstance(refusal, BadLogin) else "refused: %s"
    identity: Identity | None = getattr(request, "auth", None)
    facts = {"route": request.path, "who": identity.name if identity else "", "address": address_of(request)}
    log(logger, what, refusal.message, **facts, code=refusal.code)


def refuse(request: HttpRequest, error: Exception) -> HttpResponse:
    """The answer to a request that is not carried out: the error event of a socket, with a fitting status."""
    refusal = refusal_of(error, request)
    status = STATUS[refusal.code]
    identity: Identity | None = getattr(request, "auth", None)
    if status == 403 and (isinstance(refusal, BadLogin) or (identity is not None and identity.user is None)):
        status = 401
    _log_refusal(request, refusal)
    key = client_id({"id": header(request, "Idempotency-Key")})
    response = reply(ErrorEvent.of(refusal, key), status)
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if status in {429, 503}:
        response["Retry-After"] = str(math.ceil(refusal.retry_after or RETRY_SECONDS))
    return response
