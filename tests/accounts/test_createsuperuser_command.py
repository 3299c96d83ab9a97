"""`manage.py createsuperuser`."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.django_db


def make(username: str) -> None:
    call_command("createsuperuser", "--noinput", "--username", username, "--email", "a@example.com", verbosity=0)


def test_a_superuser_is_made() -> None:
    make("zoe")
    assert User.objects.get().is_superuser


@pytest.mark.parametrize("name", ["Alice", "\u0430lice", "system"])
def test_a_name_like_another_is_refused_with_the_reason(alice: User, name: str) -> None:
    with pytest.raises(CommandError, match=r"alice, who is here already|name under which this site speaks"):
        make(name)


def test_names_that_are_there_are_not_asked_elsewhere(alice: User) -> None:
    User(username="Alice", password="x").full_clean()
    with pytest.raises(ValidationError, match="kept for guests"):
        get_user_model()(username="Guest-4711235", password="x").full_clean()
