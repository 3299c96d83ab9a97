"""The site itself, as a Django app for its commands and checks."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """The site."""

    name = "config"
    verbose_name = "Site"

    def ready(self) -> None:
        """Register the checks, and write down what is done in admin."""
        from config import acts, checks  # noqa: F401

        acts.watch()
