"""Settings of notifications stop start-up by their names, as those of realtime do."""

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from notifications.conf import Conf, conf
from realtime.conf import check


def test_every_setting_has_its_documented_default() -> None:
    assert (conf.max_topics, conf.heartbeat_interval) == (128, 30)


def test_any_number_of_topics_can_be_allowed(settings: Settings) -> None:
    settings.CHORUS_MAX_TOPICS = 0
    assert conf.max_topics == 0


@pytest.mark.parametrize("value", ["-1", "many", "nan", "inf", None, [1]])
@pytest.mark.parametrize("name", ["MAX_TOPICS", "HEARTBEAT_INTERVAL"])
def test_a_value_that_makes_no_sense_is_refused_by_its_name(name: str, value: object, settings: Settings) -> None:
    setattr(settings, f"CHORUS_{name}", value)
    with pytest.raises(ImproperlyConfigured, match=f"^CHORUS_{name}: .*got "):
        check(Conf)


def test_the_heart_does_not_beat_all_the_time(settings: Settings) -> None:
    settings.CHORUS_HEARTBEAT_INTERVAL = 0
    with pytest.raises(ImproperlyConfigured, match=r"^CHORUS_HEARTBEAT_INTERVAL: "):
        check(Conf)


def test_a_value_comes_from_the_environment(reread: pytest.MonkeyPatch) -> None:
    reread.setenv("CHORUS_MAX_TOPICS", "5")
    assert conf.max_topics == 5


def test_a_site_with_a_wrong_value_does_not_start(settings: Settings) -> None:
    settings.CHORUS_MAX_TOPICS = "many"
    with pytest.raises(ImproperlyConfigured, match=r"^CHORUS_MAX_TOPICS: "):
        apps.get_app_config("notifications").ready()
