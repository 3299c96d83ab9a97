"""Logins are looked at again: what each gives now, or why it gives nothing any more."""

from datetime import timedelta

import pytest
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import Token
from accounts.verify import verify
from realtime.access import Identity, Login


def browser(user: User) -> Client:
    """A browser in which somebody is logged in."""
    client = Client()
    client.force_login(user)
    return client


def login_of(user: User, client: Client) -> Login:
    """The login of a socket that this browser opened."""
    return Login(user.pk, session=client.session.session_key)


def answer(login: Login) -> Identity | str:
    """What one login gives."""
    return verify([login])[login]


def now(login: Login) -> Identity:
    """What one login gives, which is somebody."""
    found = answer(login)
    assert isinstance(found, Identity), found
    return found


def by(token: Token) -> Login:
    return Login(token.owner_id, token.pk)


# Sessions.


def test_a_session_gives_its_user(alice: User) -> None:
    login = login_of(alice, browser(alice))
    found = now(login)
    assert (found.user, found.token, found.login) == (alice, None, login)


def test_a_user_comes_with_their_groups(alice: User) -> None:
    alice.groups.add(Group.objects.create(name="team"))
    found = now(login_of(alice, browser(alice)))
    assert found.user is not None
    with CaptureQueriesContext(connection) as queries:
        assert [group.name for group in found.user.groups.all()] == ["team"]  # type: ignore[attr-defined]
    assert not queries


def test_a_session_that_was_logged_out_gives_nobody(alice: User) -> None:
    client = browser(alice)
    login = login_of(alice, client)
    client.post("/accounts/logout/")
    assert answer(login) == "logged out"


def test_a_logout_in_one_browser_leaves_the_other_logged_in(alice: User) -> None:
    client, other = browser(alice), browser(alice)
    login = login_of(alice, other)
    client.post("/accounts/logout/")
    assert now(login).user == alice


def test_a_session_that_has_become_somebody_else_s_gives_nobody(alice: User, bob: User) -> None:
    client = browser(alice)
    session = client.session
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(bob.pk), bob.get_session_auth_hash()
    session.save()
    assert answer(login_of(alice, client)) == "logged out"
    assert now(login_of(bob, client)).user == bob


def test_a_session_of_an_earlier_password_gives_nobody(alice: User) -> None:
    login = login_of(alice, browser(alice))
    alice.set_password("another one")
    alice.save()
    assert answer(login) == "logged out"


def test_a_session_under_a_former_secret_key_goes_on(alice: User, settings: Settings) -> None:
    login = login_of(alice, browser(alice))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new one"
    # A session's hash is of the key; what it holds is signed with it.
    assert now(login).user == alice
    settings.SECRET_KEY_FALLBACKS = []
    assert answer(login) == "logged out"


def test_a_session_past_its_end_gives_nobody(alice: User) -> None:
    login = login_of(alice, browser(alice))
    Session.objects.update(expire_date=Now() - timedelta(seconds=1))
    assert answer(login) == "logged out"


@pytest.mark.parametrize("engine", ["cache", "cached_db", "file"])
def test_sessions_may_be_kept_elsewhere(alice: User, settings: Settings, engine: str) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    client = browser(alice)
    login = login_of(alice, client)
    assert now(login).user == alice
    client.post("/accounts/logout/")
    assert answer(login) == "logged out"


# Users.


def test_a_deactivated_user_is_nobody(alice: User, token: Token) -> None:
    login = login_of(alice, browser(alice))
    User.objects.update(is_active=False)
    assert {answer(login), answer(by(token)), answer(Login(alice.pk))} == {"user deactivated"}


def test_a_deleted_user_is_nobody(alice: User, token: Token) -> None:
    logins = [login_of(alice, browser(alice)), by(token)]
    alice.delete()
    assert set(verify(logins).values()) == {"user deactivated"}


def test_a_user_is_as_they_are_now(root: User) -> None:
    login = login_of(root, browser(root))
    User.objects.update(is_superuser=False)
    assert not now(login).is_superuser


def test_who_was_logged_in_some_other_way_stays_while_they_are_active(alice: User) -> None:
    assert now(Login(alice.pk)).user == alice


# Tokens.


def test_a_token_gives_its_owner_as_far_as_its_scopes_go_now(alice: User, token: Token) -> None:
    Token.objects.update(scopes=["chat:read"])
    found = now(by(token))
    assert (found.user, found.token) == (alice, token)
    assert found.token is not None
    assert (found.token.allows("chat:read:lobby"), found.token.allows("chat:write:lobby")) == (True, False)


def test_a_token_comes_with_the_time_it_has_left(token: Token) -> None:
    Token.objects.update(expires_at=Now() + timedelta(seconds=50))
    found = now(by(token)).token
    assert found is not None
    assert found.seconds_left == pytest.approx(50, abs=5)


@pytest.mark.parametrize("change", [{"revoked_at": Now()}, {"expires_at": Now() - timedelta(seconds=1)}])
def test_a_revoked_or_expired_token_gives_nobody(token: Token, change: dict[str, object]) -> None:
    Token.objects.update(**change)
    assert answer(by(token)) == "token revoked or expired"


def test_a_deleted_token_gives_nobody(token: Token) -> None:
    login = by(token)
    token.delete()
    assert answer(login) == "token revoked or expired"


# Many.


def test_four_queries_do_for_all(db: None) -> None:
    logins = []
    for number in range(20):
        user = User.objects.create_user(f"user-{number}")
        logins += [login_of(user, browser(user)), by(Token.issue(user, "one")[0])]
    with CaptureQueriesContext(connection) as queries:
        found = verify(logins)
    assert len(queries) == 4  # users, their groups, tokens, sessions
    assert [identity.login for identity in found.values() if isinstance(identity, Identity)] == logins
