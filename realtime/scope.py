"""What the scope of an ASGI connection says, and the answer that refuses one. Who is at its end: realtime.peer."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def query_of(scope: Scope) -> dict[str, str]:
    """The query string; of a name given twice, the last."""
    query = scope.get("query_string", b"").decode("latin-1")
    if not query:
        return {}
    return {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}


def header(scope: Scope, name: bytes) -> str | None:
    """The last header of a name, or None."""
    found = headers(scope, name)
    return found[-1] if found else None


def headers(scope: Scope, name: bytes) -> list[str]:
    """All headers of a name, in their order."""
    return [value.decode("latin-1").strip() for key, value in scope.get("headers", ()) if key == name]


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
