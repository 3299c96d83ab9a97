"""What the app does when it is loaded."""

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db.models.signals import post_save
from pytest_django import Settings

from realtime.streams.kinds import kinds


def test_a_setting_that_makes_no_sense_is_found_at_once(settings: Settings) -> None:
    settings.CHORUS_DB_THREADS = 0
    with pytest.raises(ImproperlyConfigured, match="CHORUS_DB_THREADS"):
        apps.get_app_config("realtime").ready()


def test_every_kind_of_stream_is_listened_to() -> None:
    assert kinds()
    for model in kinds():
        assert post_save.has_listeners(model), model
