"""How large a request's body may be, by its address: counted as it comes, before Django writes it to disk."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from realtime.log import log
from realtime.peer import peer_of
from realtime.protocol import ErrorEvent, Refused
from realtime.scope import Application, Receive, Scope, Send, header, loggable

Limits = Sequence[tuple[str, Callable[[], int | None]]]
"""The beginning of an address, and what gives the bytes that a body may have there (0 or None: any number).

The first that fits counts; an empty beginning fits all.
"""

logger = logging.getLogger("chorus.http")


def limited_bodies(application: Callable[..., Awaitable[None]], limits: Limits) -> Application:
    """ASGI middleware for `http`: answers 413 and hangs up where a body is, or says that it will be, too big."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        limit = _limit_of(scope, limits)
        if limit and _declared(scope) > limit:
            await _refuse(scope, send, limit)
            return
        counted = _Counted(receive, limit)
        await application(scope, counted if limit else receive, send)
        if counted.is_past:
            await _refuse(scope, send, limit)

    return serve


class _Counted:
    """Receives a body up to its limit; who sends more has gone, to the application, which then answers nothing."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._left = limit

    @property
    def is_past(self) -> bool:
        return self._left < 0

    async def __call__(self) -> dict[str, Any]:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        return {"type": "http.disconnect"} if self.is_past else message


def _limit_of(scope: Scope, limits: Limits) -> int:
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return next((limit() or 0 for start, limit in limits if path.startswith(start)), 0)


def _declared(scope: Scope) -> int:
    said = (header(scope, b"content-length") or "").lstrip("0")
    return int(said[:18]) if said.isascii() and said.isdecimal() else 0


async def _refuse(scope: Scope, send: Send, limit: int) -> None:
    refusal = Refused("too_long", f"The body is too big (max {limit} bytes)")
    facts = {"route": loggable(scope["path"]), "address": peer_of(scope).address}
    log(logger, "refused: %s", refusal.message, **facts, code=refusal.code)
    body = ErrorEvent.of(refusal).encode().encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
