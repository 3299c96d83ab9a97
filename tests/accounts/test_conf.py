"""Settings of accounts stop start-up by their names, as those of realtime do."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from accounts.conf import Conf, conf
from realtime.conf import check


def test_every_setting_has_its_documented_default() -> None:
    assert conf.tokens_per_user == 100


def test_a_wrong_one_stops_start_up_by_its_name(settings: Settings) -> None:
    settings.CHORUS_TOKENS_PER_USER = "many"
    with pytest.raises(ImproperlyConfigured, match=r"^CHORUS_TOKENS_PER_USER: .*got "):
        check(Conf)
