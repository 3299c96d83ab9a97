"""What the site's own app does when it is loaded."""

from django.contrib.admin.models import LogEntry
from django.core.checks import registry
from django.db.models.signals import post_save


def test_its_checks_are_made() -> None:
    assert "config.checks" in {check.__module__ for check in registry.registry.get_checks()}


def test_what_is_done_in_admin_is_listened_to() -> None:
    assert post_save.has_listeners(LogEntry)
