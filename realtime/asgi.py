"""Builds the socket application, for this site or a team's own.

From outside in: the server's own `send` is kept, the origin is judged, credentials are read, a route is
found; an unknown one is refused.
"""

import ipaddress
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import parse_qs

from channels.routing import URLRouter
from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.urls import URLPattern, re_path

from realtime import db

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

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


async def refuse(scope: Scope, receive: Receive, send: Send, status: int, retry_after: int | None = None) -> None:
    """Refuse the handshake with an HTTP status; a server without that extension answers 403."""
    await receive()
    if "websocket.http.response" in scope.get("extensions", {}):
        headers = [(b"retry-after", str(retry_after).encode())] if retry_after is not None else []
        await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": b""})
    else:
        await send({"type": "websocket.close"})


async def unknown_route(scope: Scope, receive: Receive, send: Send) -> None:
    """The last route."""
    facts = {"route": loggable(scope["path"]), "address": scope["address"]}
    logger.info("no such route route=%s address=%s", *facts.values(), extra=facts)
    await refuse(scope, receive, send, 404)


def loggable(path: str) -> str:
    """A path as one word of a log line, whatever a client put into it."""
    return path[:200].encode("unicode_escape").decode()


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
            await refuse(scope, receive, send, 503, retry_after=5)


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
                await refuse(scope, receive, send, 403)
                return
        scope["cookies_allowed"] = ours
        del origin
        await self.inner(scope, receive, send)


def own_origin(scope: Scope) -> str | None:
    """The origin (RFC 6454: scheme, host and port) of this site's pages as the client reached it.

    None where the Host header is not one of ALLOWED_HOSTS, since a page on any name could send it.
    """
    host = header(scope, b"host") or ""
    domain, _ = split_domain_port(host)
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        return None
    secure = scope.get("scheme") == "wss" or forwarded_proto(scope) == "https"
    scheme, default_port = ("https", ":443") if secure else ("http", ":80")
    return f"{scheme}://{host.lower().removesuffix(default_port)}"


def query_of(scope: Scope) -> dict[str, str]:
    """The query string; of a name given twice, the last."""
    query = scope.get("query_string", b"").decode("latin-1")
    return {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}


def header(scope: Scope, name: bytes) -> str | None:
    """The last header of a name, or None."""
    found = headers(scope, name)
    return found[-1] if found else None


def headers(scope: Scope, name: bytes) -> list[str]:
    """All headers of a name, in their order."""
    return [value.decode("latin-1").strip() for key, value in scope.get("headers", ()) if key == name]


def _trusted(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip in ipaddress.ip_network(network, strict=False) for network in settings.TRUSTED_PROXIES)


def client_address(scope: Scope) -> str:
    """The address of the client: the nearest hop that is not one of TRUSTED_PROXIES.

    Whatever stands further left in X-Forwarded-For was written by a stranger.
    """
    address = (scope.get("client") or ("",))[0] or ""
    # Each proxy may add its hop to the header or add a header; their order tells as much as a comma.
    forwarded = ",".join(headers(scope, b"x-forwarded-for"))
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    while hops and _trusted(address):
        address = hops.pop()
    return address[:64]


def forwarded_proto(scope: Scope) -> str | None:
    """The scheme a trusted proxy says the client used: the last one said, which is the proxy's own word."""
    said = ",".join(headers(scope, b"x-forwarded-proto"))
    return said.rpartition(",")[2].strip() if said and _is_proxy(scope) else None


def _is_proxy(scope: Scope) -> bool:
    return _trusted((scope.get("client") or ("",))[0] or "")


FORWARDED = frozenset(b"x-forwarded-%s" % each for each in (b"for", b"host", b"port", b"proto")) | {b"forwarded"}


def forwarded_by_proxies(application: Callable[..., Awaitable[None]]) -> Application:
    """ASGI middleware for `http`: drops what a peer that is not one of TRUSTED_PROXIES says it forwards.

    Django would believe X-Forwarded-Proto from anybody, and the first of several.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        dropped = {b"x-forwarded-proto"} if _is_proxy(scope) else FORWARDED
        kept = [(name, value) for name, value in scope["headers"] if name.lower() not in dropped]
        if (proto := forwarded_proto(scope)) is not None:
            kept.append((b"x-forwarded-proto", proto.encode("latin-1")))
        await application({**scope, "headers": kept}, receive, send)

    return serve
