"""The notifications WebSocket route, with and without the final slash, and what the pages say of it."""

from django.urls import re_path

from notifications.consumers import NotificationsConsumer
from realtime.routing import RouteInfo

websocket_urlpatterns = [re_path(r"^ws/notifications/?$", NotificationsConsumer.as_asgi())]

ROUTES = (
    RouteInfo(
        "/ws/notifications/",
        "Notifications",
        "Subscribe to topics, publish to them, and acknowledge what you saw.",
        (
            '{"action": "subscribe", "topics": ["alerts"]}',
            '{"action": "publish", "topic": "alerts", "message": "Disk full", "priority": 5}',
            '{"action": "ack", "topic": "alerts", "seq": 1}',
            '{"action": "unsubscribe", "topics": ["alerts"]}',
        ),
        answers_pings=True,
    ),
)
