"""The whiteboard's WebSocket route, and what the pages say of it."""

from django.urls import re_path

from examples.whiteboard.consumers import BoardConsumer
from realtime.routing import RouteInfo

websocket_urlpatterns = [re_path(r"^ws/board/(?P<board>[^/]+)/?$", BoardConsumer.as_asgi())]
PUT = '{"action": "put", "text": "Cake", "x": 10, "y": 20}'
ROUTES = (RouteInfo("/ws/board/plans/", "Whiteboard", "Notes that everyone sees and moves.", (PUT,)),)
