"""The ASGI application: pages over HTTP, everything live over WebSocket."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django_application = get_asgi_application()  # sets Django up: what follows may import models

from channels.routing import ProtocolTypeRouter  # noqa: E402
from django.conf import settings  # noqa: E402

from accounts.credentials import Credentials  # noqa: E402
from realtime.asgi import http_application, websocket_application  # noqa: E402
from realtime.bodies import Limits, limited_bodies  # noqa: E402
from realtime.conf import conf  # noqa: E402
from realtime.cookies import joined_cookies  # noqa: E402
from realtime.http import with_transport  # noqa: E402
from realtime.routing import installed_routes  # noqa: E402
from realtime.visits import counted_visits  # noqa: E402

FORM_BYTES = 64 * 1024
"""A login, by a form or for a token; no page but admin's has a longer one."""
BODIES: Limits = (
    ("/api/token", lambda: FORM_BYTES),
    ("/api/", lambda: conf.max_frame_bytes),
    ("/admin/", lambda: settings.DATA_UPLOAD_MAX_MEMORY_SIZE),
    ("", lambda: FORM_BYTES),
)
"""Bytes of a request's body, by the beginning of its address."""

UNCOUNTED = ("/api/", settings.STATIC_URL)
"""What counts who asks by itself, and files."""

pages = counted_visits(limited_bodies(django_application, BODIES), UNCOUNTED)
application = ProtocolTypeRouter(
    {
        "http": http_application(with_transport(joined_cookies(pages))),
        "websocket": websocket_application(installed_routes(), credentials=Credentials),
    }
)
