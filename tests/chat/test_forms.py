"""The forms by which staff mute and ban."""

import pytest
from django.contrib.auth.models import User

from chat.forms import SanctionForm, UserSanctionForm
from chat.models import Room, Sanction
from realtime.access import Identity

MUTE = {"kind": "mute", "how_long": "600", "reason": "shouting"}


def test_a_valid_form_is_imposed_as_it_says(lobby: Room, alice: User, root: User) -> None:
    form = SanctionForm(MUTE)
    assert form.is_valid()
    made = form.impose(lobby, Identity.of_user(alice), root)
    made.refresh_from_db()
    assert (made.kind, made.reason, made.by, made.room) == (Sanction.Kind.MUTE, "shouting", root, lobby)
    assert made.until is not None
    assert round((made.until - made.created_at).total_seconds()) == 600


def test_no_length_is_for_good(lobby: Room, alice: User, root: User) -> None:
    form = SanctionForm({**MUTE, "how_long": ""})
    assert form.is_valid()
    assert form.impose(lobby, Identity.of_user(alice), root).until is None


def test_it_is_for_the_user_who_is_named(alice: User, bob: User) -> None:
    form = UserSanctionForm({**MUTE, "user": bob.pk})
    assert form.is_valid()
    assert form.identity == Identity.of_user(bob)


def test_a_superuser_is_bound_by_none(root: User) -> None:
    form = UserSanctionForm({**MUTE, "user": root.pk})
    assert "Superusers may do everything" in str(form.errors["user"])


@pytest.mark.parametrize("wrong", [{"kind": "exile"}, {"how_long": "60"}])
def test_only_what_is_offered_can_be_chosen(wrong: dict[str, str]) -> None:
    assert [*SanctionForm({**MUTE, **wrong}).errors] == [*wrong]
