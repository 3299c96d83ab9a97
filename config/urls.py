"""The site's pages."""

from django.contrib import admin
from django.urls import include, path

import notifications.api
from config import docs
from config.api import api
from realtime.http import mounted

urlpatterns = [
    path("api/", mounted(api, headers=notifications.api.HEADERS)),
    path("", include("realtime.urls")),
    path("docs/", docs.index, name="docs"),
    path("docs/<slug:name>/", docs.page, name="doc"),
    path("accounts/", include("accounts.urls")),
    path("chat/", include("chat.urls")),
    path("counter/", include("counter.urls")),
    path("notifications/", include("notifications.urls")),
    path("admin/", admin.site.urls),
]
