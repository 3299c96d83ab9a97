"""What the app does when it is loaded."""

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings


def test_a_setting_that_makes_no_sense_is_found_at_once(settings: Settings) -> None:
    settings.CHORUS_HEARTBEAT_INTERVAL = 0
    with pytest.raises(ImproperlyConfigured, match="CHORUS_HEARTBEAT_INTERVAL"):
        apps.get_app_config("notifications").ready()
