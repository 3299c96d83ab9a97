"""Settings of chat stop start-up by their names."""

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from chat.conf import conf


def test_the_plain_routes_are_open_unless_a_site_says_otherwise() -> None:
    assert conf.plain_routes == "open"


@pytest.mark.parametrize("value", ["on", "member", "OFF", "0", 0, None])
def test_a_site_with_a_wrong_value_does_not_start(value: object, settings: Settings) -> None:
    settings.CHORUS_PLAIN_ROUTES = value
    with pytest.raises(ImproperlyConfigured, match=r"^CHORUS_PLAIN_ROUTES: .*'open', 'members' or 'off', got "):
        apps.get_app_config("chat").ready()


@pytest.mark.parametrize("value", ["open", "members", "off"])
def test_a_value_comes_from_the_environment(value: str, reread: pytest.MonkeyPatch) -> None:
    reread.setenv("CHORUS_PLAIN_ROUTES", value)
    assert conf.plain_routes == value
