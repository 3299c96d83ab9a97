"""How often pages are asked for, by network: counted before Django does anything, since nobody has logged in yet."""

import logging
import math
from collections.abc import Awaitable, Callable, Sequence

from realtime.limits import Throttle
from realtime.log import log
from realtime.peer import peer_of
from realtime.per_loop import PerLoop
from realtime.protocol import Refused
from realtime.rates import rates
from realtime.scope import Application, Receive, Scope, Send

LOGGED_SECONDS = 10.0
"""Between two lines about what is refused to one network."""
TOO_MANY = b"Too many requests came from your network. Try again in a moment.\n"

logger = logging.getLogger("chorus.http")
refusals: PerLoop[Throttle] = PerLoop(Throttle)


def counted_visits(application: Callable[..., Awaitable[None]], uncounted: Sequence[str]) -> Application:
    """ASGI middleware for `http`: a network may ask for as many pages as its guests may send commands; past it 429.

    `uncounted` are beginnings of addresses that count by themselves, as the API does, or cost nothing, as files do.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if not path.startswith(tuple(uncounted)):
            try:
                rates.here().visit(peer_of(scope).network)
            except Refused as refusal:
                await _refuse(scope, send, math.ceil(refusal.retry_after or 1))
                return
        await application(scope, receive, send)

    return serve


async def _refuse(scope: Scope, send: Send, retry_after: int) -> None:
    peer = peer_of(scope)
    if refusals.here().passes(peer.network, LOGGED_SECONDS):
        log(logger, "refused: too many requests", address=peer.address)
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(TOO_MANY)).encode()),
        (b"retry-after", str(retry_after).encode()),
        (b"cache-control", b"no-store"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": TOO_MANY})
