"""The site's pages."""

from django.contrib import admin
from django.urls import include, path

admin.site.site_header = admin.site.site_title = "Chorus"

urlpatterns = [
    path("", include("realtime.urls")),
    path("accounts/", include("accounts.urls")),
    path("chat/", include("chat.urls")),
    path("admin/", admin.site.urls),
]
