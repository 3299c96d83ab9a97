"""Login, logout, password and token pages."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.guests import COOKIE
from accounts.models import Token
from tests.processes import PASSWORD

NEW = {"name": "Backup", "scopes": ["chat:read", "chat:write"], "days": "30"}


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    """Alice's browser, logged in."""
    client.force_login(alice)
    return client


def test_a_user_logs_in_and_is_sent_on(client: Client, alice: User) -> None:
    answer = client.post(reverse("login"), {"username": "alice", "password": PASSWORD, "next": "/accounts/tokens/"})
    assert answer.headers["location"] == "/accounts/tokens/"
    assert client.session["_auth_user_id"] == str(alice.pk)


def test_a_wrong_password_shows_the_form_again(client: Client, alice: User) -> None:
    answer = client.post(reverse("login"), {"username": "alice", "password": "wrong"})
    assert answer.status_code == 200
    assert answer.context["form"].errors


def test_login_sends_nobody_to_another_site(client: Client, alice: User) -> None:
    answer = client.post(reverse("login"), {"username": "alice", "password": PASSWORD, "next": "https://evil.example/"})
    assert answer.headers["location"] == reverse("home")


def test_who_is_logged_in_needs_no_login_page(page: Client) -> None:
    assert page.get(reverse("login")).headers["location"] == reverse("home")


def test_the_login_page_makes_a_guest_known(client: Client, db: None) -> None:
    assert COOKIE in client.get(reverse("login")).cookies


def test_logout_is_a_post(page: Client) -> None:
    assert page.get(reverse("logout")).status_code == 405
    assert page.post(reverse("logout")).headers["location"] == reverse("home")
    assert "_auth_user_id" not in page.session


def test_a_user_changes_the_password_and_stays_logged_in(page: Client, alice: User) -> None:
    new = "battery staple 7"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    answer = page.post(reverse("password_change"), form)
    assert answer.headers["location"] == reverse("password_change_done")
    assert page.get(reverse("password_change_done")).status_code == 200
    alice.refresh_from_db()
    assert alice.check_password(new)


@pytest.mark.parametrize("name", ["tokens", "password_change", "password_change_done"])
def test_a_guest_is_asked_to_log_in_first(client: Client, name: str) -> None:
    assert client.get(reverse(name)).headers["location"] == f"{reverse('login')}?next={reverse(name)}"


def test_a_made_token_shows_its_secret_once(page: Client, alice: User) -> None:
    answer = page.post(reverse("tokens"), NEW)
    secret, token = answer.context["secret"], answer.context["new_token"]
    assert Token.authenticate(secret) == token
    assert (token.owner, token.name, token.scopes) == (alice, "Backup", NEW["scopes"])
    assert secret in answer.text
    assert not answer.context["form"].is_bound
    assert secret not in page.get(reverse("tokens")).text


def test_a_secret_stays_out_of_caches_cookies_and_sessions(page: Client) -> None:
    answer = page.post(reverse("tokens"), NEW)
    assert "no-store" in answer.headers["cache-control"]
    assert answer.context["secret"] not in str(answer.cookies) + str(answer.headers)
    assert not any(answer.context["secret"] in str(session.get_decoded()) for session in Session.objects.all())


def test_a_token_for_ever_must_be_asked_for(page: Client) -> None:
    assert page.post(reverse("tokens"), NEW | {"days": "never"}).context["new_token"].expires_at is None
    assert page.post(reverse("tokens"), NEW | {"days": ""}).context["new_token"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 101},
        {"scopes": []},
        {"scopes": ["root"]},
        {"scopes": ["*", "chat:read"]},
        {"days": "1e9"},
    ],
)
def test_what_makes_no_sense_makes_no_token(page: Client, wrong: dict[str, object]) -> None:
    answer = page.post(reverse("tokens"), NEW | wrong)
    assert answer.context["form"].errors.keys() == wrong.keys()
    assert answer.context["secret"] is None
    assert not Token.objects.exists()


def test_the_form_starts_with_everything_for_90_days(page: Client) -> None:
    form = page.get(reverse("tokens")).context["form"]
    assert (form["scopes"].value(), form["days"].value()) == (["*"], "90")


def test_people_see_their_own_tokens_only(page: Client, token: Token, bob: User) -> None:
    Token.issue(bob, "phone")
    assert list(page.get(reverse("tokens")).context["tokens"]) == [token]


def test_how_long_ago_a_token_was_used_stays_true_on_the_page(page: Client, token: Token) -> None:
    Token.objects.update(last_used_at=timezone.now() - timedelta(minutes=5))
    said = page.get(reverse("tokens")).text
    assert re.search(r'<time datetime="[^"]+" data-said="ago">5\sminutes ago</time>', said)


def test_people_revoke_their_own_tokens(page: Client, token: Token) -> None:
    answer = page.post(reverse("tokens"), {"revoke": token.pk})
    assert answer.headers["location"] == reverse("tokens")
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_nobody_revokes_the_token_of_another(client: Client, token: Token, bob: User) -> None:
    client.force_login(bob)
    assert client.post(reverse("tokens"), {"revoke": token.pk}).status_code == 404
    assert Token.objects.usable().get() == token


@pytest.mark.parametrize("pk", ["", "x", "-1", "٣", "9" * 30])
def test_revoking_what_is_no_token_is_not_found(page: Client, pk: str) -> None:
    assert page.post(reverse("tokens"), {"revoke": pk}).status_code == 404


def test_forms_want_their_csrf_token(alice: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    assert browser.post(reverse("tokens"), NEW).status_code == 403


@pytest.mark.parametrize(
    ("headers", "why"), [({}, "too old"), ({"origin": "https://testserver:8443"}, "came from another address")]
)
def test_a_refused_form_says_what_was_wrong_with_it(alice: User, headers: dict[str, str], why: str) -> None:
    browser = Client(enforce_csrf_checks=True, headers=headers)
    answer = browser.post(reverse("login"), {"username": "alice", "password": PASSWORD})
    assert (answer.status_code, why in answer.text) == (403, True)


# The present password, and what the new one ends.


def change(page: Client, old: str, **more: str) -> int:
    new = "battery staple 7"
    form = {"old_password": old, "new_password1": new, "new_password2": new, **more}
    return page.post(reverse("password_change"), form).status_code


def test_the_present_password_cannot_be_guessed_for_ever(page: Client, settings: Settings) -> None:
    settings.AXES_FAILURE_LIMIT = 2
    assert [change(page, "wrong") for _ in range(3)] == [200, 200, 429]
    assert change(page, PASSWORD) == 429


def test_one_that_another_site_s_page_sends_is_neither_tried_nor_counted(
    page: Client, alice: User, settings: Settings
) -> None:
    settings.AXES_FAILURE_LIMIT = 2
    foreign = Client(headers={"Sec-Fetch-Site": "cross-site"})
    foreign.force_login(alice)
    assert [change(foreign, old) for old in ("wrong", "wrong", "wrong", PASSWORD)] == [403] * 4
    assert change(page, PASSWORD) == 302


def test_it_is_counted_with_those_of_logins(page: Client, client: Client, settings: Settings) -> None:
    settings.AXES_FAILURE_LIMIT = 2
    assert [change(page, "wrong") for _ in range(2)] == [200, 200]
    assert Client().post(reverse("login"), {"username": "alice", "password": PASSWORD}).status_code == 429


def test_a_bad_new_password_is_no_guess(page: Client, settings: Settings) -> None:
    settings.AXES_FAILURE_LIMIT = 2
    assert [change(page, PASSWORD, new_password2="other") for _ in range(5)] == [200] * 5
    assert change(page, PASSWORD) == 302


@pytest.mark.parametrize("asked", [False, True])
def test_a_new_password_revokes_tokens_where_one_asks(page: Client, token: Token, bob: User, asked: bool) -> None:
    others = Token.issue(bob, "phone")[0]
    assert change(page, PASSWORD, **({"revoke_tokens": "on"} if asked else {})) == 302
    token.refresh_from_db()
    others.refresh_from_db()
    assert (token.state, others.state) == ("revoked" if asked else "active", "active")
    assert "Revoke my access tokens too" in page.get(reverse("password_change")).text


def test_who_has_as_many_tokens_as_one_may_is_told(page: Client, settings: Settings) -> None:
    settings.CHORUS_TOKENS_PER_USER = 1
    assert page.post(reverse("tokens"), NEW).context["secret"]
    answer = page.post(reverse("tokens"), NEW)
    assert "Revoke one first." in answer.text
    assert Token.objects.count() == 1
