"""Cookies in several headers, as HTTP/2 may send them (RFC 9113 §8.2.3), for pages as for sockets."""

from collections.abc import Awaitable, Callable

from realtime.scope import Application, Receive, Scope, Send


def joined_cookies(application: Callable[..., Awaitable[None]]) -> Application:
    """ASGI middleware for `http`: makes one header of several, which Django would join with a comma."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        found = [value for name, value in scope["headers"] if name == b"cookie"]
        if len(found) > 1:
            others = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
            scope = {**scope, "headers": [*others, (b"cookie", b"; ".join(found))]}
        await application(scope, receive, send)

    return serve
