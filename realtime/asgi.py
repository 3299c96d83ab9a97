"""Builds the socket application, for this site or a team's own.

From outside in: the server's own `send` is kept, the origin is judged, credentials are read, a route is
found; an unknown one is refused.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from channels.routing import URLRouter
from django.conf import settings
from django.urls import URLPattern, re_path

from realtime import db
from realtime.scope import (
    Application,
    Receive,
    Scope,
    Send,
    client_address,
    forwarded_proto,
    header,
    headers,
    is_proxy,
    loggable,
    own_origin,
    query_of,
    refuse_handshake,
)

logger = logging.getLogger("chorus.socket")


def websocket_application(
    routes: Sequence[URLPattern], *, credentials: Callable[[Application], Application]
) -> Application:
    """The application for `websocket` scopes.

    `routes` are the URL patterns of all apps; `credentials` is a middleware that sets `user`, `token`,
    `guest_key`, `bad_token` and `authenticate` in the scope, such as accounts.credentials.Credentials.
    """
    last: Any = unknown_route  # to Django's types a route leads to a view; to Channels', to an application
    router = URLRouter([*routes, re_path(r"", last)])
    return Outermost(Origin(credentials(router)))


async def unknown_route(scope: Scope, receive: Receive, send: Send) -> None:
    """The last route."""
    facts = {"route": loggable(scope["path"]), "address": scope["address"]}
    logger.info("no such route route=%s address=%s", *facts.values(), extra=facts)
    await refuse_handshake(scope, receive, send, 404)


class Outermost:
    """Keeps the server's own `send`, which middleware further in may wrap at a cost for every message."""

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        # The scope was made for this connection: it is not copied, since each copy would live as long as the socket.
        scope.update(server_send=send, address=client_address(scope))
        try:
            await self.inner(scope, receive, send)
        except db.Unavailable:
            # Credentials could not be read: nobody is let in as a guest for that.
            await refuse_handshake(scope, receive, send, 503, retry_after=5)


class Origin:
    """Decides whether a cookie counts: only from a page of ours, or of a site in ALLOWED_ORIGINS."""

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as a guest where the origin is foreign and this is development."""
        origin = ", ".join(headers(scope, b"origin"))  # no browser sends two, so two are foreign
        ours = not headers(scope, b"origin") or origin in {*settings.ALLOWED_ORIGINS, own_origin(scope)}
        bearer = (header(scope, b"authorization") or "").lower().startswith("bearer ")
        # Neither needs an origin: nothing is said on such a socket before its token was good.
        if not ours and not bearer and query_of(scope).get("login") != "message":
            consequence = "a guest, its cookies ignored" if settings.DEBUG else "refused with 403"
            logger.warning(
                "foreign origin %r: %s. To trust it, add it to ALLOWED_ORIGINS.",
                origin,
                consequence,
                extra={"route": loggable(scope["path"]), "address": scope["address"]},
            )
            if not settings.DEBUG:
                await refuse_handshake(scope, receive, send, 403)
                return
        scope["cookies_allowed"] = ours
        del origin
        await self.inner(scope, receive, send)


FORWARDED = frozenset(b"x-forwarded-%s" % each for each in (b"for", b"host", b"port", b"proto")) | {b"forwarded"}


def forwarded_by_proxies(application: Callable[..., Awaitable[None]]) -> Application:
    """ASGI middleware for `http`: drops what a peer that is not one of TRUSTED_PROXIES says it forwards.

    Django would believe X-Forwarded-Proto from anybody, and the first of several.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        dropped = {b"x-forwarded-proto"} if is_proxy(scope) else FORWARDED
        kept = [(name, value) for name, value in scope["headers"] if name.lower() not in dropped]
        if (proto := forwarded_proto(scope)) is not None:
            kept.append((b"x-forwarded-proto", proto.encode("latin-1")))
        await application({**scope, "headers": kept}, receive, send)

    return serve
