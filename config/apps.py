"""The site itself, as a Django app for its commands and checks."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """The site."""

    name = "config"
    verbose_name = "Site"

    def ready(self) -> None:
        """Register the checks."""
        from config import checks  # noqa: F401
