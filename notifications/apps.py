"""Notifications by topic, from programs to people and to other programs."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """The notifications app."""

    name = "notifications"
    verbose_name = "Notifications"
