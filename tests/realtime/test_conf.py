"""Settings are read once, and a wrong one stops start-up with its name."""

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from realtime.conf import Conf, Count, check, conf, lazily
from realtime.conf import Settings as OwnSettings

MIB = 1024 * 1024
DEFAULTS = {
    "namespace": "chorus",
    "max_frame_bytes": MIB,
    "max_text": 10_000,
    "outbox_bytes": MIB,
    "ping_interval": 20,
    "ping_timeout": 10,
    "login_timeout": 5,
    "command_rate": 20,
    "command_burst": 60,
    "command_bytes": 8192,
    "connect_rate": 50,
    "connect_burst": 1000,
    "connections_per_user": 20,
    "connections_per_address": 100,
    "connections_per_process": 10_000,
    "db_threads": 4,
    "history_threads": 2,
}
LIMITS = sorted(DEFAULTS.keys() - {"namespace", "db_threads", "history_threads"})


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_every_setting_has_its_documented_default(name: str) -> None:
    assert getattr(conf, name) == DEFAULTS[name]


@pytest.mark.parametrize("name", LIMITS)
def test_every_limit_can_be_switched_off(name: str, settings: Settings) -> None:
    setattr(settings, f"CHORUS_{name.upper()}", 0)
    assert getattr(conf, name) == 0


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("value", ["-1", "many", "nan", "inf", None, [1]])
def test_a_limit_that_makes_no_sense_is_refused_by_its_name(name: str, value: object, settings: Settings) -> None:
    setattr(settings, f"CHORUS_{name.upper()}", value)
    with pytest.raises(ImproperlyConfigured, match=f"^CHORUS_{name.upper()}: .*got "):
        check(Conf)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NAMESPACE", ""),
        ("NAMESPACE", "Chorus"),
        ("NAMESPACE", "a:b"),
        ("NAMESPACE", "x" * 33),
        ("DB_THREADS", 0),
        ("DB_THREADS", 65),
        ("REVIEW_INTERVAL", 0),
        ("MAX_TEXT", 1.5),
        ("COMMAND_BURST", "60.5"),
    ],
)
def test_other_values_out_of_bounds_are_refused_by_their_name(name: str, value: object, settings: Settings) -> None:
    setattr(settings, f"CHORUS_{name}", value)
    with pytest.raises(ImproperlyConfigured, match=f"^CHORUS_{name}: "):
        check(Conf)


def test_a_value_comes_from_the_environment(reread: pytest.MonkeyPatch) -> None:
    reread.setenv("CHORUS_MAX_TEXT", "500")
    assert conf.max_text == 500


def test_a_variable_set_to_nothing_counts_as_not_set(reread: pytest.MonkeyPatch) -> None:
    reread.setenv("CHORUS_MAX_TEXT", "")
    assert conf.max_text == DEFAULTS["max_text"]


def test_a_wrong_variable_in_the_environment_is_refused_by_its_name(reread: pytest.MonkeyPatch) -> None:
    reread.setenv("CHORUS_OUTBOX_BYTES", "1 MiB")
    with pytest.raises(ImproperlyConfigured, match=r"^CHORUS_OUTBOX_BYTES: .*'1 MiB'"):
        check(Conf)


def test_django_s_settings_win_over_the_environment(reread: pytest.MonkeyPatch, settings: Settings) -> None:
    reread.setenv("CHORUS_MAX_TEXT", "500")
    settings.CHORUS_MAX_TEXT = 7
    assert conf.max_text == 7


def test_a_site_with_a_wrong_value_does_not_start(settings: Settings) -> None:
    settings.CHORUS_MAX_TEXT = "many"
    with pytest.raises(ImproperlyConfigured, match=r"^CHORUS_MAX_TEXT: "):
        apps.get_app_config("realtime").ready()


def test_a_setting_that_does_not_exist_is_an_error_of_the_program() -> None:
    with pytest.raises(AttributeError):
        _ = conf.max_txt  # type: ignore[attr-defined]


# An app's own.


class Colours(OwnSettings):
    """Settings of an app."""

    colours: Count = 3


def test_an_app_s_own_setting_is_read_by_the_same_rules(reread: pytest.MonkeyPatch, settings: Settings) -> None:
    own = lazily(Colours)
    assert own.colours == 3
    reread.setenv("CHORUS_COLOURS", "5")
    settings.CHORUS_MAX_TEXT = 7  # whichever is overridden, all are read again
    assert own.colours == 5
    settings.CHORUS_COLOURS = 4
    assert own.colours == 4


def test_an_app_s_own_wrong_value_is_refused_by_its_name(settings: Settings) -> None:
    settings.CHORUS_COLOURS = "red"
    with pytest.raises(ImproperlyConfigured, match=r"^CHORUS_COLOURS: .*got 'red'"):
        check(Colours)


def test_each_has_its_own_settings_only() -> None:
    with pytest.raises(AttributeError):
        _ = lazily(Colours).max_text  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        _ = conf.colours  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", [2**20, 0])
def test_a_text_may_be_as_long_as_any_that_is_read(settings: Settings, value: int) -> None:
    settings.CHORUS_MAX_TEXT = value
    assert conf.max_text == value


def test_but_no_longer(settings: Settings) -> None:
    settings.CHORUS_MAX_TEXT = 2**20 + 1
    with pytest.raises(ImproperlyConfigured, match="CHORUS_MAX_TEXT"):
        check(Conf)
