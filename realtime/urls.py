"""The home page, the console and the server's status."""

from django.urls import path

from realtime import views

urlpatterns = [
    path("", views.home, name="home"),
    path("console/", views.console, name="console"),
    path("api/status", views.status, name="status"),
    path("api/status/", views.status),
    path("favicon.ico", views.favicon),
]
