"""The ASGI application: pages over HTTP, everything live over WebSocket."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
http_application = get_asgi_application()  # sets Django up: what follows may import models

from channels.routing import ProtocolTypeRouter  # noqa: E402

from accounts.credentials import Credentials  # noqa: E402
from realtime.asgi import forwarded_by_proxies, websocket_application  # noqa: E402
from realtime.http import with_transport  # noqa: E402
from realtime.routing import installed_routes  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": forwarded_by_proxies(with_transport(http_application)),
        "websocket": websocket_application(installed_routes(), credentials=Credentials),
    }
)
