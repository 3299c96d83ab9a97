"""Who opens a socket: read from its handshake, before any consumer runs.

It costs a guest nothing but a signature check, and a user one visit to the database.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model, load_backend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import parse_cookie
from django.views.decorators.debug import sensitive_variables

from accounts.attempts import count_bad_token
from accounts.guests import guest_key, new_guest_key
from accounts.models import Token
from accounts.secret import is_well_formed
from accounts.verify import is_of_password, verify
from realtime import db
from realtime.gathered import Gathered
from realtime.peer import peer_of
from realtime.protocol import Refused
from realtime.scope import Application, Receive, Scope, Send, header, headers


class Credentials:
    """ASGI middleware that puts into the scope who speaks.

    - `user`: a user or AnonymousUser; a bearer token wins over a session cookie
    - `token`: the bearer's Token, or None
    - `bad_token`: why `Authorization: Bearer` is not good, else ""; then nobody is logged in
    - `session_key`: of the session that logged the user in, or None
    - `guest_key`: from our cookie, else random and good for this connection; None for a user
    - `guest_stays`: whether it is from our cookie, so that the guest may come back
    - `authenticate`: `await authenticate(secret)` gives a Token or None, for a login by message; raises
      Refused `rate_limited` where too many failed
    - `verify`: looks at logins again; see accounts.verify

    Cookies count only where `scope["cookies_allowed"]` is true or missing. Raises realtime.db.Unavailable
    when the database does not answer.
    """

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Put into the scope who speaks, and call the inner application."""
        # HTTP/2 may send a header for each (RFC 9113 §8.2.3), which are joined as Django joins them for a page.
        sent = "; ".join(headers(scope, b"cookie"))
        cookies = parse_cookie(sent) if scope.get("cookies_allowed", True) else {}
        secret = _bearer(scope)
        login_by = partial(_authenticate_from, peer_of(scope).network)
        login = await (by_session(cookies) if secret is None else _by_bearer(secret, login_by))
        scope.update(NOBODY, authenticate=login_by, verify=verify, **login)
        if not login.get("user"):
            known = guest_key(cookies)
            scope.update(guest_key=known or new_guest_key(), guest_stays=known is not None)
        del sent, cookies, secret, login, login_by  # this frame lives as long as the socket
        await self.inner(scope, receive, send)


NOBODY: Mapping[str, Any] = {
    "user": AnonymousUser(),
    "token": None,
    "bad_token": "",
    "session_key": None,
    "guest_key": None,
    "guest_stays": False,
}


async def authenticate(secret: str, network: str) -> Token | None:
    """The usable token with this secret, or None; a mistyped one does not reach the database.

    Raises Refused `rate_limited` for the bad token that is one too many from a network.
    """
    token = await tokens.get(secret) if is_well_formed(secret) else None
    if token is None:
        await count_bad_token(network)
    elif not token.noted:
        uses.soon(token.pk)
    return token


@sensitive_variables("secrets")
def _find_tokens(secrets: list[str]) -> dict[str, Token]:
    return Token.authenticate_all(secrets)


def _note_uses(pks: list[int]) -> dict[int, None]:
    Token.note_use(pks)
    return {}


tokens = Gathered(_find_tokens)
"""Tokens by their secrets: clients that come together are looked up together."""
uses = Gathered(_note_uses, pause=1.0)
"""Keeps note of the uses of tokens; a login does not wait for it."""


async def _authenticate_from(network: str, secret: str) -> Token | None:
    return await authenticate(secret, network)


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
    if user is None or not is_of_password(user, session.get(HASH_SESSION_KEY, "")):
        return None
    return user


async def by_session(cookies: Mapping[str, str]) -> dict[str, Any]:
    """What the session cookie puts into a scope: `user` and `session_key`; nothing where it logs nobody in."""
    key = cookies.get(settings.SESSION_COOKIE_NAME, "")
    # A quoted cookie can spell control characters, which a database refuses with an error.
    user = await db.run(session_user, key) if key and key.isprintable() else None
    return {} if user is None else {"user": user, "session_key": key}


async def _by_bearer(secret: str, login_by: Callable[[str], Awaitable[Token | None]]) -> dict[str, Any]:
    try:
        token = await login_by(secret)
    except Refused as refusal:
        return {"bad_token": refusal.message}
    return {"bad_token": "Invalid token"} if token is None else {"user": token.owner, "token": token}


def _bearer(scope: Scope) -> str | None:
    """What follows `Authorization: Bearer`, or None where no such header is."""
    scheme, _, secret = (header(scope, b"authorization") or "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None
