"""What the scope of an ASGI connection says, and the answer that refuses one.

X-Forwarded-* headers count from TRUSTED_PROXIES only.
"""

import ipaddress
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.http.request import split_domain_port, validate_host

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


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
    return said.rpartition(",")[2].strip() if said and is_proxy(scope) else None


def is_proxy(scope: Scope) -> bool:
    """Tell whether the peer is one of TRUSTED_PROXIES."""
    return _trusted((scope.get("client") or ("",))[0] or "")


def loggable(path: str) -> str:
    """A path as one word of a log line, whatever a client put into it."""
    return path[:200].encode("unicode_escape").decode()


async def refuse_handshake(
    scope: Scope, receive: Receive, send: Send, status: int, retry_after: int | None = None
) -> None:
    """Refuse the handshake with an HTTP status; a server without that extension answers 403."""
    await receive()
    if "websocket.http.response" in scope.get("extensions", {}):
        headers = [(b"retry-after", str(retry_after).encode())] if retry_after is not None else []
        await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": b""})
    else:
        await send({"type": "websocket.close"})
