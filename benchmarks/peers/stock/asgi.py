"""The tutorial's ASGI application, with a token in the handshake as the manual's page on authentication has it."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.peers.stock.settings")

from channels.auth import AuthMiddlewareStack
from channels.db import database_sync_to_async
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application
from django.urls import path

django_application = get_asgi_application()

from benchmarks.peers.stock import consumers  # noqa: E402 - models need the application first
from benchmarks.peers.stock.models import Token  # noqa: E402 - likewise

urlpatterns: list[Any] = []
routes = [
    path("room", consumers.RoomConsumer.as_asgi()),
    path("echo", consumers.EchoConsumer.as_asgi()),
    path("store", consumers.StoreConsumer.as_asgi()),
    path("click", consumers.ClickConsumer.as_asgi()),
]


def owner(key: str) -> Any:
    """The user whose token it is."""
    return Token.objects.select_related("user").get(key=key).user


class TokenAuth:
    """Middleware that logs in by `Authorization: Bearer …`."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        """Put the user into the scope."""
        key = dict(scope["headers"])[b"authorization"].decode().removeprefix("Bearer ")
        return await self.inner({**scope, "user": await database_sync_to_async(owner)(key)}, receive, send)


application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(TokenAuth(URLRouter(routes)))),
    }
)
