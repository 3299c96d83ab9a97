"""The form by which people make tokens."""

from typing import Any

import pytest

from accounts.forms import TokenForm

GOOD = {"name": "Backup", "scopes": ["chat:read"], "days": "30"}


@pytest.mark.parametrize(("chosen", "days"), [("7", 7), ("365", 365), ("never", None)])
def test_a_lifetime_is_a_number_of_days_or_none(chosen: str, days: int | None) -> None:
    form = TokenForm({**GOOD, "days": chosen})
    assert form.is_valid()
    assert form.cleaned_data["days"] == days


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("scopes", [], "Choose at least one thing this token may do."),
        ("scopes", ["*", "chat:read"], "Choose either everything or single things."),
        ("scopes", ["chat:fly"], "chat:fly is not one of the available choices"),
        ("days", "0", "0 is not one of the available choices"),
        ("name", "x" * 101, "at most 100 characters"),
    ],
)
def test_what_makes_no_sense_is_told_at_its_field(field: str, value: Any, told: str) -> None:
    form = TokenForm({**GOOD, field: value})
    assert told in str(form.errors[field])


def test_at_first_everything_is_checked_for_90_days() -> None:
    form = TokenForm()
    assert (form["scopes"].value(), form["days"].value()) == (["*"], "90")
