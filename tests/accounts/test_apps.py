"""What is true of users once the app is there, whichever user model the site has."""

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models.signals import post_save

from accounts.guests import not_a_guest_name


def test_the_name_of_a_user_is_not_that_of_a_guest() -> None:
    user_model = get_user_model()
    field = user_model._meta.get_field(user_model.USERNAME_FIELD)
    with pytest.raises(ValidationError, match="kept for guests"):
        field.run_validators("Guest-1234")  # type: ignore[union-attr]  # it is a column
    assert field.validators.count(not_a_guest_name) == 1  # type: ignore[union-attr]


def test_changes_of_users_are_listened_to() -> None:
    assert post_save.has_listeners(get_user_model())
