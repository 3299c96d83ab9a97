"""Chat: the plain routes, rooms and messages."""

from django.apps import AppConfig


class ChatConfig(AppConfig):
    """The chat app; tells open sockets when somebody is muted or banned, or no longer is."""

    name = "chat"
    verbose_name = "Chat"

    def ready(self) -> None:
        """Hear of sanctions, and have those that ended deleted one day."""
        from chat.dead import sanctions
        from chat.watch import watch
        from realtime.streams.retention import also

        watch()
        also(sanctions)
