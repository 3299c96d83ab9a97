"""What all connections of one server share, so that each holds one reference to it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

Application = Callable[[Any, Any, Any], Awaitable[Any]]


class Shared:
    """A server's configuration and state, as its WebSocket connections use them."""

    def __init__(self, config: Config, state: ServerState) -> None:
        self.application: Application = config.loaded_app
        self.connections: set[Any] = state.connections
        """Those that Uvicorn tells when it stops, by their `shutdown`."""
        self.tasks: set[asyncio.Task[None]] = state.tasks
        """Those that Uvicorn waits for when it stops."""
        self.default_headers = state.default_headers
        self.app_state: dict[str, Any] = {}
        self.root_path, self.asgi_version = config.root_path, config.asgi_version
        self.max_size: int = config.ws_max_size or 0
        self.ping_interval = config.ws_ping_interval
        """Seconds between pings; None: none are sent."""
        self.ping_timeout = config.ws_ping_timeout
        """Seconds that an answer to a ping may take; None: any time."""
        self.bounds_send_buffer = bool(getattr(config, "bounds_send_buffer", False))
        """The listener bounds the send buffers of all it accepts."""
        self.logger = logging.getLogger("uvicorn.error")


@lru_cache(maxsize=8)
def shared_by(config: Config, state: ServerState) -> Shared:
    """What the connections of this server share; a process has one server, tests have many."""
    return Shared(config, state)
