"""The counter's WebSocket routes, with and without the final slash, and what the pages say of them."""

from django.urls import re_path

from counter.consumers import CounterConsumer
from realtime.routing import RouteInfo

websocket_urlpatterns = [
    re_path(r"^ws/counter/?$", CounterConsumer.as_asgi()),
    re_path(r"^ws/counter/(?P<counter>[^/]+)/?$", CounterConsumer.as_asgi()),
]

ROUTES = (
    RouteInfo(
        "/ws/counter/",
        "Counter",
        "A number that everyone sees change.",
        ('{"action": "plus"}', '{"action": "minus"}', '{"action": "add", "delta": 5, "id": "1"}'),
        answers_pings=True,
    ),
)
