"""A misspelt variable is found."""

import pytest

from config.checks import unknown_variables


def test_a_misspelt_setting_is_named_with_the_one_that_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHORUS_MAX_TXT", "5")
    (warning,) = unknown_variables()
    assert "CHORUS_MAX_TXT" in warning.msg
    assert warning.hint == "Did you mean CHORUS_MAX_TEXT?"


def test_settings_that_exist_are_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHORUS_MAX_TEXT", "5")
    monkeypatch.setenv("CHORUS_MAX_TOPICS", "5")
    monkeypatch.setenv("CHORUS_DEV_LAN", "1")
    assert unknown_variables() == []
