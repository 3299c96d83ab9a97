"""Notifications by topic, from programs to people and to other programs."""

from django.apps import AppConfig

from notifications.conf import Conf
from realtime.conf import check


class NotificationsConfig(AppConfig):
    """The notifications app; refuses to start with a setting that makes no sense."""

    name = "notifications"
    verbose_name = "Notifications"

    def ready(self) -> None:
        """Read its settings now, not when the first socket needs them."""
        from notifications.dead import cursors
        from realtime.streams.retention import also

        check(Conf)
        also(cursors)
