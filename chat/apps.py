"""Chat: the plain routes, rooms and messages."""

from django.apps import AppConfig

from chat.conf import Conf
from realtime.conf import check


class ChatConfig(AppConfig):
    """The chat app; tells open sockets of mutes and bans, and refuses to start with a setting that makes no sense."""

    name = "chat"
    verbose_name = "Chat"

    def ready(self) -> None:
        """Read its settings, hear of sanctions, and have those that ended deleted one day."""
        from chat.dead import sanctions
        from chat.watch import watch
        from realtime.streams.retention import also

        check(Conf)
        watch()
        also(sanctions)
