"""Tokens and the visitor's own identity over HTTP, and how a request is authenticated."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth import authenticate as check_password
from django.core.exceptions import ValidationError
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_variables
from ninja import Router
from pydantic import Field, StringConstraints

from accounts.credentials import authenticate, by_session
from accounts.guests import guest_key
from accounts.models import DEFAULT_DAYS, MAX_DAYS, Token
from accounts.verify import verify
from realtime import db
from realtime.access import Identity
from realtime.http import (
    ERRORS,
    GUESTS_TOO,
    ApiRequest,
    Authentication,
    BadLogin,
    command_in,
    count_request,
    network_of,
    read_object,
    reply,
    takes,
)
from realtime.names import normal
from realtime.people import id_of
from realtime.protocol import Command, Payload, Refused
from realtime.texts import NOT_BLANK, PersonText

router = Router(tags=["Tokens"])


async def logged_in(cookies: Mapping[str, str]) -> Identity | None:
    """The user whom the session cookie logs in, or None; decided as for a socket."""
    found = await by_session(cookies)
    return Identity.of_user(found["user"], session=found["session_key"]) if found else None


authentication = Authentication(authenticate, logged_in, guest_key, verify)
"""For a NinjaAPI's `auth`."""


Scopes = Annotated[list[Annotated[str, StringConstraints(max_length=200)]], Field(max_length=100)]


class NewToken(Command):
    """Make a token of the user with this password."""

    action: Literal["token"] = "token"
    username: Annotated[PersonText, StringConstraints(min_length=1, max_length=254)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=4096)]
    name: Annotated[PersonText, StringConstraints(min_length=1, max_length=100), *NOT_BLANK] = Field(
        "API", description="What it is for."
    )
    scopes: Scopes = Field(default_factory=list, description="What it may do; left out: all that you may.")
    days: Annotated[int, Field(ge=1, le=MAX_DAYS)] | Literal["never"] = DEFAULT_DAYS


class TokenInfo(Payload):
    """A token, without its secret."""

    name: str
    prefix: str
    scopes: list[str]
    expires_at: datetime | None = None

    @classmethod
    def of(cls, made: Token, **more: str) -> Self:
        """What there is to tell of a token."""
        known = {
            "name": made.name,
            "prefix": made.prefix,
            "scopes": made.scopes,
            "expires_at": made.expires_at,
        }
        return cls.model_validate({**known, **more})


class MadeToken(TokenInfo):
    """A token with its secret, which is shown this once."""

    token: str


class Me(Payload):
    """Who asks."""

    username: str
    """As others see it: `alice`, `Guest-4711235`."""
    sender_id: str
    """What others know you by, whatever you are called."""
    guest: bool
    token: TokenInfo | None = None
    """The token by which they ask."""


@router.get("/me", response={200: Me, **ERRORS}, openapi_extra=GUESTS_TOO)
async def me(request: ApiRequest) -> HttpResponse:
    """Who you are here."""
    identity = request.auth
    token = TokenInfo.of(identity.token) if isinstance(identity.token, Token) else None
    sender_id = identity.sender_id or await id_of(identity.key, network_of(request))
    return reply(Me(username=identity.name, sender_id=sender_id, guest=identity.user is None, token=token))


@router.post("/token/", auth=None, response={201: MadeToken, **ERRORS}, openapi_extra=takes(NewToken))
@sensitive_variables("asked", "secret")
async def make_token(request: HttpRequest) -> HttpResponse:
    """Make a token by user name and password. Its secret is in this answer and nowhere else."""
    count_request(network_of(request))
    asked = command_in(request, NewToken, read_object(request))
    try:
        # Hashing takes its time, and must not take it from the threads that sockets read with.
        working = asyncio.to_thread(_log_in_and_issue, request, asked)
        token, secret = await asyncio.wait_for(working, db.WAIT_SECONDS)
    except TimeoutError:
        raise db.Unavailable("the database did not answer in time") from None
    return reply(MadeToken.of(token, token=secret), 201)


@sensitive_variables("asked", "secret")
def _log_in_and_issue(request: HttpRequest, asked: NewToken) -> tuple[Token, str]:
    try:
        user: Any = check_password(request, username=normal(asked.username), password=asked.password)
        if user is None:
            request.axes_locked_out = False  # type: ignore[attr-defined]  # the answer is ours, not a page
            raise getattr(request, "login_refusal", None) or BadLogin("Wrong user name or password.")
        AxesProxyHandler.user_logged_in(sender=make_token, request=request, user=user)
        return Token.issue(user, asked.name, asked.scopes, None if asked.days == "never" else asked.days)
    except ValidationError as error:
        if not hasattr(error, "error_dict"):  # it is about no field: there are too many
            raise Refused("forbidden", " ".join(error.messages)) from None
        fields = {name: " ".join(messages) for name, messages in error.message_dict.items()}
        raise Refused("invalid", "; ".join(fields.values()), fields=fields) from None
    finally:
        connections.close_all()  # nobody else would close those of this thread


@router.delete("/token/", response={204: None, **ERRORS})
async def revoke_token(request: ApiRequest) -> HttpResponse:
    """Revoke the token that you send: whatever uses it can no longer connect."""
    token = request.auth.token
    if not isinstance(token, Token):
        raise BadLogin("Send the token that is to be revoked: Authorization: Bearer …")
    await db.run(token.revoke)
    return HttpResponse(status=204)
