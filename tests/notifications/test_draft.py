"""A draft can be published: what cannot be is refused when it is made."""

from typing import Any

import pytest
from pytest_django import Settings

from notifications.draft import MAX_TAG, MAX_TAGS, MAX_TITLE, Draft
from notifications.events import Publish
from realtime.protocol import Refused


def refusal(**said: Any) -> Refused:
    """Why this is no draft."""
    with pytest.raises(Refused) as caught:
        Draft(**{"message": "Hi", **said})
    return caught.value


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("message", "", "expected some text"),
        ("title", "x" * (MAX_TITLE + 1), "expected at most 200 characters"),
        ("priority", 0, "expected a number from 1 to 5"),
        ("priority", 6, "expected a number from 1 to 5"),
        ("tags", ["x"] * (MAX_TAGS + 1), "expected at most 10 tags of 1 to 32 characters"),
        ("tags", ["x" * (MAX_TAG + 1)], "expected at most 10 tags of 1 to 32 characters"),
    ],
)
def test_what_is_wrong_is_named_with_what_was_expected(field: str, value: object, expected: str) -> None:
    refused = refusal(**{field: value})
    assert (refused.code, refused.message) == ("invalid", f"{field}: {expected}")
    assert refused.fields == {field: expected}


def test_a_message_has_the_site_s_length(settings: Settings) -> None:
    settings.CHORUS_MAX_TEXT = 2
    assert Draft("Hi").message == "Hi"
    assert refusal(message="Hi!").code == "too_long"


@pytest.mark.parametrize("said", [{"message": "a\x00b"}, {"title": "\x1b[31m"}, {"tags": ["a\x00"]}])
def test_control_characters_are_nowhere_in_it(said: dict[str, Any]) -> None:
    assert refusal(**said).code == "invalid"


def test_a_command_is_a_draft_with_its_id() -> None:
    said = Publish(topic="alerts", message="Disk full", title="db1", priority=5, tags=["disk"], id="7")
    assert said.draft() == Draft("Disk full", title="db1", priority=5, tags=["disk"], client_id="7")
