"""What is answered over HTTP: messages as a socket would send them, and refusals with a fitting status."""

import logging
import math
from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from ninja.errors import ValidationError

from realtime import db
from realtime.access import Identity
from realtime.http.authentication import BadLogin
from realtime.http.requests import SAFE, address_of, header_text
from realtime.log import log
from realtime.protocol import ErrorEvent, Payload, Refused, client_id
from realtime.validation import brief, told

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
RETRY_SECONDS = 5

logger = logging.getLogger("chorus.http")


def reply(message: Payload, status: int = 200) -> HttpResponse:
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
            fields, summary = told(error.errors, whole_path=False)
            return Refused("invalid", f"Invalid request: {summary}", fields=fields)
        case Http404():
            return Refused("not_found", "There is nothing here.")
        case _:
            return Refused("invalid", f"This request cannot be read: {brief(str(error), 200)}")


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


def reply_refusal(request: HttpRequest, error: Exception) -> HttpResponse:
    """The answer to a request that is not carried out: the error event of a socket, with a fitting status."""
    refusal = refusal_of(error, request)
    status = STATUS[refusal.code]
    identity: Identity | None = getattr(request, "auth", None)
    if status == 403 and (isinstance(refusal, BadLogin) or (identity is not None and identity.user is None)):
        status = 401
    _log_refusal(request, refusal)
    key = client_id({"id": header_text(request, "Idempotency-Key")})
    response = reply(ErrorEvent.of(refusal, key), status)
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if status in {429, 503}:
        response["Retry-After"] = str(math.ceil(refusal.retry_after or RETRY_SECONDS))
    return response
