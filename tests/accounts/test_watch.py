"""Open sockets are told of every change of a user, group or token; and of nothing else."""

from typing import Any

import pytest
from django.contrib.auth import user_logged_out
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.test import Client
from pytest_django import Settings

from accounts.models import Token
from tests.processes import PASSWORD
from tests.realtime.told import LAYERS, reviews

pytestmark = pytest.mark.django_db(transaction=True)
EVERYONE: list[Any] = [([], [], True)]


@pytest.fixture(autouse=True)
def _heard(settings: Settings, alice: User, token: Token, team: Group) -> None:
    """From here on."""
    settings.CHANNEL_LAYERS = LAYERS
    reviews()


@pytest.fixture
def team(db: None) -> Group:
    return Group.objects.create(name="team")


def of(*users: User) -> list[tuple[list[str], list[str], bool]]:
    """One review, of these users' sockets."""
    return [([str(user.pk) for user in users], [], False)]


def test_a_user_who_is_saved(alice: User) -> None:
    alice.is_active = False
    alice.save()
    assert reviews() == of(alice)


def test_a_new_password(alice: User) -> None:
    alice.set_password("another one")
    alice.save(update_fields=["password"])
    assert reviews() == of(alice)


def test_a_user_who_is_deleted(alice: User) -> None:
    key = str(alice.pk)
    alice.delete()
    assert ([key], [], False) in reviews()


def test_a_new_user_has_no_sockets() -> None:
    User.objects.create_user("carol")
    assert not reviews()


def test_a_login_is_no_change(alice: User) -> None:
    Client().post("/accounts/login/", {"username": "alice", "password": PASSWORD})
    alice.refresh_from_db()
    assert alice.last_login is not None
    assert not reviews()


def test_a_logout(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    client.post("/accounts/logout/")
    assert reviews() == of(alice)


def test_a_logout_of_nobody() -> None:
    user_logged_out.send(sender=User, request=None, user=None)
    assert not reviews()


def test_a_token_that_is_revoked(alice: User, token: Token) -> None:
    token.revoke()
    assert reviews() == of(alice)


def test_a_token_with_other_scopes(alice: User, token: Token) -> None:
    token.scopes = ["chat:read"]
    token.save()
    assert reviews() == of(alice)


def test_a_token_that_is_deleted(alice: User, token: Token) -> None:
    token.delete()
    assert reviews() == of(alice)


def test_a_new_token_is_no_change(alice: User) -> None:
    Token.issue(alice, "another")
    assert not reviews()


def test_the_use_of_a_token_is_no_change(secret: str) -> None:
    assert Token.authenticate(secret) is not None
    assert not reviews()


def test_a_user_s_groups(alice: User, team: Group) -> None:
    alice.groups.add(team)
    alice.groups.remove(team)
    assert reviews() == of(alice) * 2
    alice.groups.set([team])
    alice.groups.clear()
    assert reviews() == of(alice) * 2


def test_a_group_s_users(alice: User, team: Group) -> None:
    team.user_set.add(alice)
    team.user_set.remove(alice)
    assert reviews() == of(alice) * 2


def test_a_group_that_is_emptied_does_not_say_of_whom(alice: User, team: Group) -> None:
    alice.groups.add(team)
    reviews()
    team.user_set.clear()
    assert reviews() == EVERYONE


def test_a_group_that_is_deleted(team: Group) -> None:
    team.delete()
    assert reviews()[-1:] == EVERYONE


def test_a_user_s_permissions(alice: User) -> None:
    alice.user_permissions.add(Permission.objects.get(codename="moderate_room"))
    alice.user_permissions.clear()
    assert reviews() == of(alice) * 2


def test_a_group_s_permissions(team: Group) -> None:
    team.permissions.add(Permission.objects.get(codename="moderate_room"))
    team.permissions.clear()
    assert reviews() == EVERYONE * 2


def test_nothing_is_told_before_it_is_committed(alice: User) -> None:
    with transaction.atomic():
        alice.save()
        assert not reviews()
    assert reviews() == of(alice)


def test_what_is_rolled_back_is_told_to_nobody(alice: User, token: Token) -> None:
    with transaction.atomic():
        alice.save()
        token.revoke()
        transaction.set_rollback(True)
    assert not reviews()
