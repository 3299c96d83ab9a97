"""New names of users in admin look like nobody else's."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

PASSWORDS = {"usable_password": "true", "password1": "a-long-one-12345", "password2": "a-long-one-12345"}


def made(staff: Client, username: str) -> list[str]:
    """What the form for a new user says of a name."""
    answer = staff.post(reverse("admin:auth_user_add"), {"username": username, **PASSWORDS})
    return [] if answer.status_code == 302 else answer.context["adminform"].form.errors["username"]


def renamed(staff: Client, user: User, username: str) -> list[str]:
    """What the form of a user says of a name."""
    sent = {"username": username, "date_joined_0": "2026-05-04", "date_joined_1": "09:30:00"}
    answer = staff.post(reverse("admin:auth_user_change", args=[user.pk]), sent)
    return [] if answer.status_code == 302 else answer.context["adminform"].form.errors["username"]


def test_a_name_like_another_s_is_refused_with_the_reason(staff: Client, alice: User) -> None:
    assert made(staff, "Alice") == ["Alice looks like alice, who is here already. Choose another."]
    assert made(staff, "\u0430lice") == ["\u0430lice looks like alice, who is here already. Choose another."]
    assert made(staff, "system") == ["system is a name under which this site speaks. Choose another."]


def test_a_name_of_one_s_own_is_taken(staff: Client, alice: User) -> None:
    assert made(staff, "zoe") == []
    assert User.objects.filter(username="zoe").exists()


def test_a_name_that_is_there_is_refused_as_ever(staff: Client, alice: User) -> None:
    assert made(staff, "alice") == ["A user with that username already exists."]


def test_a_rename_is_held_to_the_same(staff: Client, alice: User, bob: User) -> None:
    assert renamed(staff, bob, "A1ice") == ["A1ice looks like alice, who is here already. Choose another."]
    assert renamed(staff, bob, "robert") == []
    assert renamed(staff, alice, "Alice") == []


@pytest.mark.parametrize("name", ["Alice", "system"])
def test_who_has_a_name_already_keeps_it(staff: Client, alice: User, name: str) -> None:
    user = User.objects.create_user(name)
    assert renamed(staff, user, name) == []
