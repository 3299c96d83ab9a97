"""Builds the applications behind a server, for this site or a team's own.

Of a socket, from outside in: who is at its end is worked out, the handshakes of its network are counted, the origin
is judged, credentials are read, a route is found; an unknown one is refused.
"""

import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from channels.routing import URLRouter
from django.conf import settings
from django.urls import URLPattern, re_path

from realtime import db
from realtime.limits import Throttle
from realtime.log import log
from realtime.peer import FORWARDING, Peer, peer_of
from realtime.per_loop import PerLoop
from realtime.rates import rates
from realtime.scope import Application, Receive, Scope, Send, header, headers, loggable, query_of, refuse_handshake

LOGGED_SECONDS = 10.0
"""Between two lines about handshakes that are refused to one network."""

logger = logging.getLogger("chorus.socket")


def websocket_application(
    routes: Sequence[URLPattern], *, credentials: Callable[[Application], Application]
) -> Application:
    """The application for `websocket` scopes.

    `routes` are the URL patterns of all apps; `credentials` is a middleware that sets `user`, `token`,
    `guest_key`, `guest_stays`, `bad_token` and `authenticate` in the scope, such as accounts.credentials.Credentials.
    """
    last: Any = unknown_route  # to Django's types a route leads to a view; to Channels', to an application
    router = URLRouter([*routes, re_path(r"", last)])
    return Outermost(Origin(credentials(router)))


async def unknown_route(scope: Scope, receive: Receive, send: Send) -> None:
    """The last route."""
    facts = {"route": loggable(scope["path"]), "address": peer_of(scope).address}
    logger.info("no such route route=%s address=%s", *facts.values(), extra=facts)
    await refuse_handshake(scope, receive, send, 404)


refusals: PerLoop[Throttle] = PerLoop(Throttle)
"""Which networks' refusals stand in the log lately."""


class Outermost:
    """Counts handshakes before they cost anything.

    It keeps the server's own `send`, which middleware further in may wrap at a cost for every message.
    """

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        network = peer_of(scope).network
        if wait := rates.here().connect(network):
            if refusals.here().passes(network, LOGGED_SECONDS):
                log(logger, "refused: too many handshakes", address=peer_of(scope).address)
            await refuse_handshake(scope, receive, send, 429, retry_after=math.ceil(wait))
            return
        scope["counted_for"] = network
        # The scope was made for this connection: it is not copied, since each copy would live as long as the socket.
        scope.update(server_send=send, **_reached(scope, peer_of(scope)))
        try:
            await self.inner(scope, receive, send)
        except db.Unavailable:
            # Credentials could not be read: nobody is let in as a guest for that.
            await refuse_handshake(scope, receive, send, 503, retry_after=5)


class Origin:
    """Decides whether a cookie counts: only from a page of ours, or of a site in ALLOWED_ORIGINS.

    In production nothing is served under a host that is none of ALLOWED_HOSTS, as no page is.
    """

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as a guest where the origin is foreign and this is development."""
        peer = peer_of(scope)
        if peer.asked and not peer.host and not settings.DEBUG:
            logger.warning(
                "host %r: refused with 403. If it is this site's, add it to ALLOWED_HOSTS.",
                peer.asked[:200],
                extra={"route": loggable(scope["path"]), "address": peer.address},
            )
            await refuse_handshake(scope, receive, send, 403)
            return
        origin = ", ".join(headers(scope, b"origin"))  # no browser sends two, so two are foreign
        ours = not headers(scope, b"origin") or origin in {*settings.ALLOWED_ORIGINS, peer.origin}
        bearer = (header(scope, b"authorization") or "").lower().startswith("bearer ")
        # Neither needs an origin: nothing is said on such a socket before its token was good.
        if not ours and not bearer and query_of(scope).get("login") != "message":
            consequence = "a guest, its cookies ignored" if settings.DEBUG else "refused with 403"
            logger.warning(
                "foreign origin %r: %s. To trust it, add it to ALLOWED_ORIGINS.",
                origin,
                consequence,
                extra={"route": loggable(scope["path"]), "address": peer.address},
            )
            if not settings.DEBUG:
                await refuse_handshake(scope, receive, send, 403)
                return
        scope["cookies_allowed"] = ours
        del origin, peer  # this frame lives as long as the socket
        await self.inner(scope, receive, send)


def _reached(scope: Scope, peer: Peer) -> dict[str, Any]:
    """Scheme, root path and path of a scope as the client had them."""
    secure, plain = ("wss", "ws") if scope["type"] == "websocket" else ("https", "http")
    return {
        "scheme": secure if peer.scheme == "https" else plain,
        "root_path": peer.prefix,
        "path": peer.prefix + _route(scope),
    }


def _route(scope: Scope) -> str:
    """The path below the root path, which a server puts before it and a proxy may leave there."""
    route: str = scope["path"].removeprefix(scope.get("root_path") or "")
    forced = (settings.FORCE_SCRIPT_NAME or "").rstrip("/")
    return route.removeprefix(forced) if route.startswith(f"{forced}/") else route


def http_application(application: Callable[..., Awaitable[None]]) -> Application:
    """ASGI middleware for `http`: the inner application sees a request as its client made it.

    Scheme, client, host and root path are the Peer's, which `scope["peer"]` holds; no header is left that forwards
    anything. What asks for a socket's address without a handshake is told so.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        peer = peer_of(scope)
        route = _route(scope)
        if route.startswith("/ws/"):
            await _refuse_plain(route, peer, send)
            return
        kept = [(name, value) for name, value in scope["headers"] if name != b"host" and not _forwards(name)]
        if peer.asked:
            # A host that is not ours stays, for Django to refuse.
            kept.append((b"host", (peer.netloc if peer.host else peer.asked).encode("latin-1")))
        client = (peer.address, 0) if peer.address else None
        await application({**scope, **_reached(scope, peer), "headers": kept, "client": client}, receive, send)

    return serve


def _forwards(name: bytes) -> bool:
    """Whether a header says something of another connection, however Django would spell it."""
    return FORWARDING.fullmatch(name.lower().replace(b"_", b"-")) is not None


NO_HANDSHAKE = (
    "This is the address of a WebSocket, and the request came without a handshake (no Upgrade header). "
    "If a proxy stands in front, it has to pass Upgrade and Connection on: see docs/proxies.md.\n"
)


async def _refuse_plain(route: str, peer: Peer, send: Send) -> None:
    log(logger, "no Upgrade: a socket's address was asked without a handshake", route=route, address=peer.address)
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(NO_HANDSHAKE)).encode()),
        (b"upgrade", b"websocket"),
        (b"connection", b"upgrade"),
        (b"connection", b"close"),  # the body that may follow is not read
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 426, "headers": headers})
    await send({"type": "http.response.body", "body": NO_HANDSHAKE.encode()})
