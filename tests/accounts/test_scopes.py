"""What scopes are, and what they cover."""

import pytest
from django.core.exceptions import ValidationError

from accounts import scopes


@pytest.mark.parametrize(
    "scope", ["*", "chat:read", "chat:write:lobby", "chat:write:*", "chat:write:team.*", "a:b:0-_.x"]
)
def test_a_scope_is_an_area_a_verb_and_perhaps_a_name(scope: str) -> None:
    scopes.check([scope])


@pytest.mark.parametrize(
    "scope",
    [
        "",
        "chat",
        "chat:",
        "Chat:read",
        "chat:read:",
        "chat:*",
        "chat:write:a*b",
        "chat:write:a*",
        "**",
        "chat:read\n",
        7,
    ],
)
def test_anything_else_is_refused_by_name(scope: object) -> None:
    with pytest.raises(ValidationError, match="Unknown scope"):
        scopes.check(["chat:read", scope])


def test_everything_stands_alone() -> None:
    with pytest.raises(ValidationError, match="Choose either everything or single things"):
        scopes.check(["*", "chat:read"])


@pytest.mark.parametrize("value", ["chat:read", {"chat:read": 1}, 7, None])
def test_scopes_are_a_list(value: object) -> None:
    with pytest.raises(ValidationError, match="expected a list"):
        scopes.check(value)


@pytest.mark.parametrize(
    ("granted", "wanted"),
    [
        ("*", "chat:write:lobby"),
        ("chat:write", "chat:write"),
        ("chat:write", "chat:write:lobby"),
        ("chat:write:*", "chat:write:lobby"),
        ("chat:write:lobby", "chat:write:lobby"),
        ("chat:write:team.*", "chat:write:team.a"),
        ("chat:write:team.*", "chat:write:team.a.b"),
    ],
)
def test_a_scope_covers_itself_and_what_is_below(granted: str, wanted: str) -> None:
    assert scopes.covers(granted, wanted)


@pytest.mark.parametrize(
    ("granted", "wanted"),
    [
        ("chat:write", "chat:read"),
        ("chat:write", "chat:writer"),
        ("chat:write", "counter:write"),
        ("chat:write:lobby", "chat:write"),
        ("chat:write:lobby", "chat:write:lobby2"),
        ("chat:write:*", "chat:write"),
        ("chat:write:team.*", "chat:write:team"),
        ("chat:write:team.*", "chat:write:teams"),
    ],
)
def test_a_scope_covers_nothing_beside_or_above_it(granted: str, wanted: str) -> None:
    assert not scopes.covers(granted, wanted)


def test_what_pages_offer_are_scopes() -> None:
    everything, *others = [scope for scope, _ in scopes.CHOICES]
    scopes.check([everything])
    scopes.check(others)
