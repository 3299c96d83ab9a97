"""The site itself, as a Django app for its commands and checks."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class SiteConfig(AppConfig):
    """The site."""

    name = "config"
    verbose_name = "Site"

    def ready(self) -> None:
        """Register the checks, write down what is done in admin, and keep the database to its owner."""
        from config import acts, checks, stores  # noqa: F401

        acts.watch()
        connection_created.connect(stores.keep_private)
