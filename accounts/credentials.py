"""Who opens a socket: read from its handshake, before any consumer runs.

It costs a guest nothing but a signature check, and a user one visit to the database.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model, load_backend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import parse_cookie
from django.utils.crypto import constant_time_compare

from accounts.guests import guest_key, new_guest_key
from accounts.models import Token
from realtime import db
from realtime.asgi import Application, Receive, Scope, Send, header


class Credentials:
    """ASGI middleware that puts into the scope who speaks.

    - `user`: a user or AnonymousUser; a bearer token wins over a session cookie
    - `token`: the bearer's Token, or None
    - `bad_token`: True when `Authorization: Bearer` was sent and is not good; then nobody is logged in
    - `session_key`: of the session that logged the user in, or None
    - `guest_key`: from our cookie, else random and good for this connection
    - `authenticate`: `await authenticate(secret)` gives a Token or None, for a login by message

    Cookies count only where `scope["cookies_allowed"]` is true or missing. Raises realtime.db.Unavailable
    when the database does not answer.
    """

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the inner application with a copy of the scope that says who speaks."""
        cookies = parse_cookie(header(scope, b"cookie") or "") if scope.get("cookies_allowed", True) else {}
        secret = _bearer(scope)
        login = await (_by_session(cookies) if secret is None else _by_bearer(secret))
        guest = {"guest_key": guest_key(cookies) or new_guest_key(), "authenticate": authenticate}
        await self.inner({**scope, **NOBODY, **guest, **login}, receive, send)


NOBODY: Mapping[str, Any] = {"user": AnonymousUser(), "token": None, "bad_token": False, "session_key": None}


async def authenticate(secret: str) -> Token | None:
    """The usable token with this secret, or None; a mistyped one does not reach the database."""
    return await db.run(Token.authenticate, secret)


def session_user(session_key: str) -> AbstractBaseUser | None:
    """The user whom this session logged in, or None: what django.contrib.auth.get_user decides.

    Unlike it, this never changes the session: a socket could not tell the browser a new key.
    """
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    backend_path = session.get(BACKEND_SESSION_KEY)
    if backend_path not in settings.AUTHENTICATION_BACKENDS:
        return None
    user_id = get_user_model()._meta.pk.to_python(session[SESSION_KEY])
    user: AbstractBaseUser | None = load_backend(backend_path).get_user(user_id)
    if user is None or not _is_verified(user, session.get(HASH_SESSION_KEY, "")):
        return None
    return user


def _is_verified(user: AbstractBaseUser, session_hash: str) -> bool:
    """Whether the session is of the user's present password, under any of the site's secret keys."""
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(session_hash, good) for good in hashes)


async def _by_session(cookies: Mapping[str, str]) -> dict[str, Any]:
    key = cookies.get(settings.SESSION_COOKIE_NAME, "")
    # A quoted cookie can spell control characters, which a database refuses with an error.
    user = await db.run(session_user, key) if key and key.isprintable() else None
    return {} if user is None else {"user": user, "session_key": key}


async def _by_bearer(secret: str) -> dict[str, Any]:
    token = await authenticate(secret)
    return {"bad_token": True} if token is None else {"user": token.owner, "token": token}


def _bearer(scope: Scope) -> str | None:
    """What follows `Authorization: Bearer`, or None where no such header is."""
    scheme, _, secret = (header(scope, b"authorization") or "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None
