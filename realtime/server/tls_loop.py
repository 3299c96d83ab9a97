"""The event loop of a server that ends TLS itself: a client has no longer for the handshake of TLS than for a head."""

from typing import Any

from realtime.conf import conf

try:
    from uvloop import Loop
except ImportError:  # which Windows has not
    from asyncio import SelectorEventLoop as Loop  # type: ignore[assignment]


class TlsLoop(Loop):
    """Uvicorn is told of it by its `loop` option, and makes its listeners with it."""

    async def create_server(self, *args: Any, ssl: Any = None, **options: Any) -> Any:
        """Listen; asyncio alone would wait a minute for a handshake that does not come."""
        if ssl is not None and conf.head_timeout:
            options.setdefault("ssl_handshake_timeout", conf.head_timeout)
        return await super().create_server(*args, ssl=ssl, **options)
