"""The home page and the console."""

from django.urls import path

from realtime import views

urlpatterns = [
    path("", views.home, name="home"),
    path("console/", views.console, name="console"),
    path("favicon.ico", views.favicon),
]
