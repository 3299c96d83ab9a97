"""Names of users are compared in one form, however they were typed."""

import pytest
from django.contrib.auth.models import User

from realtime.names import find_user, normal

pytestmark = pytest.mark.django_db
TYPED = ["jos\u00e9", "jose\u0301", "\uff4a\uff4f\uff53\u00e9"]


@pytest.mark.parametrize("typed", TYPED)
def test_a_user_is_found_however_their_name_is_typed(typed: str) -> None:
    user = User.objects.create_user("jose\u0301")
    assert normal(typed) == user.username == "jos\u00e9"
    assert find_user(typed) == user


def test_a_name_that_was_stored_past_every_form_is_found_as_it_is() -> None:
    raw = User.objects.create(username="jose\u0301")
    assert find_user("jose\u0301") == raw
    kept = User.objects.create_user("jos\u00e9")
    assert find_user("jose\u0301") == kept


def test_case_and_accents_make_another_name(alice: User) -> None:
    assert find_user("Alice") is find_user("\u00e1lice") is None


def test_conditions_have_to_apply(alice: User) -> None:
    assert find_user("alice", is_active=True) == alice
    assert find_user("alice", is_active=False) is None
