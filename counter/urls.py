"""The counter's pages."""

from django.urls import path

from counter import views

app_name = "counter"
urlpatterns = [
    path("", views.default, name="default"),
    path("<str:name>/", views.counter, name="counter"),
]
