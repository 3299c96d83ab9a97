"""Who opens a socket."""

import asyncio
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core import signing
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from accounts.credentials import Credentials, authenticate, session_user
from accounts.guests import COOKIE
from accounts.models import Token
from accounts.secret import new_secret
from realtime.db import Unavailable
from realtime.scope import Receive, Scope, Send

in_threads = pytest.mark.django_db(transaction=True)
GUEST_COOKIE = f"{COOKIE}={signing.TimestampSigner(salt='chorus.guest').sign('some-guest')}"


async def silence() -> dict[str, Any]:
    """Receive from a client who says nothing."""
    return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]


async def ignore(_message: dict[str, Any]) -> None:
    """Send to a client who does not look."""


def handshake(*headers: tuple[str, str], **extra: Any) -> dict[str, Any]:
    """Open a socket with these headers; gives the scope that a consumer would see.

    A test without a database mark shows at the same time that none was asked.
    """
    seen: dict[str, Any] = {}

    async def consumer(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.update(scope)

    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    scope = {"type": "websocket", "path": "/ws/echo/", "headers": raw, **extra}
    asyncio.run(Credentials(consumer)(scope, silence, ignore))
    return seen


def session_of(user: User) -> str:
    """Log the user in as a browser does; gives the session's key."""
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def test_without_credentials_a_socket_is_a_guest_s() -> None:
    scope = handshake()
    assert scope["user"].is_anonymous
    assert (scope["token"], scope["bad_token"], scope["session_key"]) == (None, "", None)
    assert scope["path"] == "/ws/echo/"


def test_guests_without_a_cookie_are_told_apart() -> None:
    assert handshake()["guest_key"] != handshake()["guest_key"]


def test_a_guest_with_our_cookie_is_known_again() -> None:
    assert handshake(("cookie", GUEST_COOKIE))["guest_key"] == "some-guest"


def test_a_guest_cookie_counts_only_where_cookies_do() -> None:
    assert handshake(("cookie", GUEST_COOKIE), cookies_allowed=False)["guest_key"] != "some-guest"


@in_threads
def test_a_session_cookie_is_its_user(alice: User) -> None:
    key = session_of(alice)
    scope = handshake(("cookie", f"theme=dark; sessionid={key}"))
    assert scope["user"] == alice
    assert scope["session_key"] == key


@in_threads
def test_a_session_cookie_counts_only_where_cookies_do(alice: User) -> None:
    scope = handshake(("cookie", f"sessionid={session_of(alice)}"), cookies_allowed=False)
    assert scope["user"].is_anonymous
    assert scope["session_key"] is None


@in_threads
def test_an_unknown_session_is_a_guest() -> None:
    assert handshake(("cookie", f"sessionid={'0' * 32}"))["user"].is_anonymous


@pytest.mark.parametrize("value", ['"\\000\\000\\000\\000\\000\\000\\000\\000"', '"\\012"', ""])
def test_a_session_cookie_that_no_session_can_have_does_not_reach_the_database(value: str) -> None:
    assert handshake(("cookie", f"sessionid={value}"))["user"].is_anonymous


@in_threads
def test_a_bearer_token_is_its_owner(token: Token, secret: str, alice: User) -> None:
    scope = handshake(("authorization", f"Bearer {secret}"))
    assert (scope["user"], scope["token"], scope["bad_token"]) == (alice, token, "")


@in_threads
def test_a_bearer_token_wins_over_a_session(secret: str, alice: User, bob: User) -> None:
    scope = handshake(("cookie", f"sessionid={session_of(bob)}"), ("authorization", f"bearer  {secret} "))
    assert scope["user"] == alice
    assert scope["session_key"] is None


@in_threads
def test_a_bearer_token_needs_no_cookies(secret: str, alice: User) -> None:
    assert handshake(("authorization", f"Bearer {secret}"), cookies_allowed=False)["user"] == alice


@pytest.mark.parametrize("value", ["Bearer", "Bearer ", "Bearer wrong", "BEARER é", "Bearer chorus_" + "0" * 36])
def test_a_mistyped_bearer_token_is_told_without_asking_the_database(value: str) -> None:
    scope = handshake(("authorization", value))
    assert scope["bad_token"]
    assert scope["user"].is_anonymous


@in_threads
def test_a_bad_bearer_token_does_not_fall_back_to_the_session(alice: User) -> None:
    scope = handshake(("cookie", f"sessionid={session_of(alice)}"), ("authorization", f"Bearer {new_secret()}"))
    assert scope["bad_token"]
    assert scope["user"].is_anonymous


@in_threads
def test_another_scheme_of_authorization_is_ignored(alice: User) -> None:
    scope = handshake(("authorization", "Basic eDp5"), ("cookie", f"sessionid={session_of(alice)}"))
    assert scope["user"] == alice
    assert not scope["bad_token"]


@in_threads
def test_a_socket_can_log_in_later_by_the_callable_in_its_scope(token: Token, secret: str) -> None:
    login = handshake()["authenticate"]
    assert asyncio.run(login(secret)) == token
    assert asyncio.run(login(new_secret())) is None


@pytest.mark.parametrize("secret", ["", "wrong", "\ud800", "\x00"])
async def test_a_mistyped_login_does_not_reach_the_database(secret: str) -> None:
    assert await authenticate(secret, "192.0.2.1") is None


def test_a_silent_database_is_passed_on_as_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_secrets: list[str]) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(Token, "authenticate_all", broken)
    with pytest.raises(Unavailable):
        handshake(("authorization", f"Bearer {new_secret()}"))


def test_a_session_ends_with_a_changed_password(alice: User) -> None:
    key = session_of(alice)
    assert session_user(key) == alice
    alice.set_password("battery staple")
    alice.save()
    assert session_user(key) is None
    assert Session.objects.filter(pk=key).exists()


def test_a_session_outlives_a_new_secret_key_and_keeps_its_own_key(alice: User, settings: Settings) -> None:
    key = session_of(alice)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new one"
    assert session_user(key) == alice
    assert Session.objects.get().pk == key


def test_a_session_of_a_forgotten_secret_key_is_nobody_s(alice: User, settings: Settings) -> None:
    key = session_of(alice)
    settings.SECRET_KEY = "a new one"
    assert session_user(key) is None


def test_a_session_of_a_deactivated_user_is_nobody_s(alice: User) -> None:
    key = session_of(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert session_user(key) is None


def test_a_session_of_a_deleted_user_is_nobody_s(alice: User) -> None:
    key = session_of(alice)
    alice.delete()
    assert session_user(key) is None


def test_a_session_of_a_removed_backend_is_nobody_s(alice: User, settings: Settings) -> None:
    key = session_of(alice)
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.RemoteUserBackend"]
    assert session_user(key) is None


def test_a_session_without_a_login_is_nobody_s(db: None) -> None:
    client = Client()
    session = client.session
    session["colour"] = "blue"
    session.save()
    assert session_user(session.session_key or "") is None


@pytest.mark.parametrize("first", [("cookie", "theme=dark"), ("cookie", GUEST_COOKIE)])
def test_cookies_in_two_headers_are_all_cookies(first: tuple[str, str]) -> None:
    theme, guest = ("cookie", "theme=dark"), ("cookie", GUEST_COOKIE)
    second = guest if first == theme else theme
    assert handshake(first, second)["guest_key"] == handshake(guest)["guest_key"] == "some-guest"
