"""The shared real-time machinery, as a Django app for its static files, templates and commands."""

from django.apps import AppConfig

from realtime import conf


class RealtimeConfig(AppConfig):
    """Refuses to start with a CHORUS_* value that makes no sense; tells open sockets when a stream's access changes."""

    name = "realtime"
    verbose_name = "Real time"

    def ready(self) -> None:
        """Read every CHORUS_* setting now, not when the first socket needs it."""
        from realtime.connections.watch import watch
        from realtime.streams import dead
        from realtime.streams.retention import also

        conf.check(conf.Conf)
        watch()
        also(dead.people)
