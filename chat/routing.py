"""Chat's WebSocket routes, with and without the final slash, and what the pages say of them."""

from dataclasses import replace

from django.urls import re_path

from chat.conf import conf
from chat.consumers import ChatConsumer
from chat.plain import BroadcastConsumer, EchoConsumer, GreetConsumer, RelayConsumer, SecureEchoConsumer, TimeConsumer
from realtime.routing import RouteInfo

websocket_urlpatterns = [
    re_path(r"^ws/echo/?$", EchoConsumer.as_asgi()),
    re_path(r"^ws/greet/?$", GreetConsumer.as_asgi()),
    re_path(r"^ws/time/?$", TimeConsumer.as_asgi()),
    re_path(r"^ws/broadcast/?$", BroadcastConsumer.as_asgi()),
    re_path(r"^ws/relay/?$", RelayConsumer.as_asgi()),
    re_path(r"^ws/secure-echo/?$", SecureEchoConsumer.as_asgi()),
    re_path(r"^ws/chat/(?P<room>[^/]+)/?$", ChatConsumer.as_asgi()),
]

ROUTES = (
    RouteInfo("/ws/echo/", "Echo", "Every frame comes back as it was.", ("Hello",)),
    RouteInfo("/ws/greet/", "Greet", "Say your name; one greeting, then it closes.", ("Ada",)),
    RouteInfo("/ws/time/", "Time", "The time of day, at once and again and again.", ()),
    RouteInfo("/ws/broadcast/", "Broadcast", "Every frame goes to everyone here, you included.", ("Hello, all",)),
    RouteInfo("/ws/relay/", "Relay", "Every text goes to everyone here but you.", ("Hello, others",)),
    RouteInfo(
        "/ws/secure-echo/",
        "Secure echo",
        "An echo with your name, once you are logged in.",
        ('{"token": "…"}', "hi"),
    ),
    RouteInfo(
        "/ws/chat/lobby/",
        "Chat room",
        "Talk, read what was said, see who is here.",
        (
            "Hi",
            '{"action": "send", "text": "Hi"}',
            '{"action": "typing"}',
            '{"action": "history", "limit": 20}',
            '{"action": "delete", "seq": 1}',
        ),
        answers_pings=True,
    ),
)

REACHING_OTHERS = frozenset({"/ws/broadcast/", "/ws/relay/"})


def offered(route: RouteInfo) -> RouteInfo | None:
    """What the pages say of a route as CHORUS_PLAIN_ROUTES has it; None: nothing."""
    if route.path not in REACHING_OTHERS or conf.plain_routes == "open":
        return route
    return None if conf.plain_routes == "off" else replace(route, summary=f"{route.summary} Log in first.")
