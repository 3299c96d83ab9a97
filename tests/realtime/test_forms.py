"""The form by which a room, a counter or a topic is opened by name."""

import pytest

from realtime.forms import NameForm


@pytest.mark.parametrize(
    ("typed", "name"), [("lobby", "lobby"), ("Lobby", "lobby"), ("  tea  time ", "tea-time"), ("a.b_c-1", "a.b_c-1")]
)
def test_what_people_type_becomes_a_name(typed: str, name: str) -> None:
    form = NameForm({"name": typed})
    assert form.is_valid()
    assert form.cleaned_data["name"] == name


@pytest.mark.parametrize("typed", ["", "?", "a/b", "x" * 65])
def test_what_can_be_no_name_is_told_in_the_form(typed: str) -> None:
    assert [*NameForm({"name": typed}).errors] == ["name"]
