"""A new password for the admin."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command


def password(*arguments: str) -> tuple[str, str]:
    """The name and password that the command prints."""
    out = StringIO()
    call_command("password", *arguments, stdout=out)
    name, _, secret = out.getvalue().strip().partition(" / ")
    return name, secret


def test_the_admin_gets_a_new_password(root: User) -> None:
    admin = User.objects.create_superuser("admin", password="forgotten")
    name, secret = password()
    admin.refresh_from_db()
    assert name == "admin"
    assert admin.check_password(secret)


@pytest.mark.django_db
def test_an_admin_is_made_if_there_is_none() -> None:
    _, secret = password()
    admin = User.objects.get(username="admin", is_superuser=True)
    assert admin.check_password(secret)


def test_somebody_else_gets_one_and_stays_who_they_are(alice: User) -> None:
    name, secret = password("alice")
    alice.refresh_from_db()
    assert name == "alice"
    assert alice.check_password(secret)
    assert not alice.is_staff


@pytest.mark.django_db
def test_nobody_else_is_made() -> None:
    with pytest.raises(CommandError, match="There is no user zoe"):
        password("zoe")
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_user_is_found_however_their_name_is_typed() -> None:
    user = User.objects.create_user("jos\u00e9")
    _, secret = password("jose\u0301")
    user.refresh_from_db()
    assert user.check_password(secret)
