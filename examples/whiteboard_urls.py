"""The site's pages, and those of the whiteboard."""

from django.urls import include, path

from config.urls import urlpatterns as chorus

urlpatterns = [path("boards/", include("examples.whiteboard.urls")), *chorus]
