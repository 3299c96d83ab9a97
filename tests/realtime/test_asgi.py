"""Whose cookies count, and which handshakes are refused."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from accounts.models import Token
from accounts.secret import new_secret
from chat.models import Room
from realtime.db import Unavailable
from realtime.testing import OWN_ORIGIN, HandshakeRefused, connect

in_threads = pytest.mark.django_db(transaction=True)
PARTNER = "https://partner.example"


async def name_in_lobby(**options: Any) -> str:
    """Open a socket and see under which name: a user's, or `Guest`; a refused handshake gives its status."""
    try:
        async with connect("/ws/chat/lobby/", **options) as socket:
            name: str = (await socket.next("joined"))["you"]
            return name.partition("-")[0]
    except HandshakeRefused as refused:
        return str(refused.status)


# origin, the name in development, the name in production
ORIGINS = {
    "ours": (OWN_ORIGIN, "alice", "alice"),
    "none, as programs have": (None, "alice", "alice"),
    "one of ALLOWED_ORIGINS": (PARTNER, "alice", "alice"),
    "foreign": ("https://evil.example", "Guest", "403"),
    "null, as of a file": ("null", "Guest", "403"),
    "empty": ("", "Guest", "403"),
    "ours with another scheme": ("https://testserver", "Guest", "403"),
    "ours with another port": ("http://testserver:8001", "Guest", "403"),
    "a name that begins like ours": ("http://testserver.evil.example", "Guest", "403"),
    "a page below an allowed one": (f"{PARTNER}/", "Guest", "403"),
}


@in_threads
@pytest.mark.parametrize(("origin", "expected"), [(o, dev) for o, dev, _ in ORIGINS.values()], ids=ORIGINS)
async def test_in_development_a_foreign_page_is_a_guest(
    origin: str | None, expected: str, development: None, alice: User, lobby: Room, settings: Settings
) -> None:
    settings.ALLOWED_ORIGINS = [PARTNER]
    assert await name_in_lobby(user=alice, headers={"origin": origin}) == expected


@in_threads
@pytest.mark.parametrize(("origin", "expected"), [(o, live) for o, _, live in ORIGINS.values()], ids=ORIGINS)
async def test_in_production_a_foreign_page_is_refused(
    origin: str | None, expected: str, alice: User, lobby: Room, settings: Settings
) -> None:
    settings.ALLOWED_ORIGINS = [PARTNER]
    assert await name_in_lobby(user=alice, headers={"origin": origin}) == expected


@in_threads
async def test_a_bearer_token_counts_from_any_page(secret: str, lobby: Room) -> None:
    assert await name_in_lobby(secret=secret, headers={"origin": "https://evil.example"}) == "alice"


@in_threads
async def test_a_foreign_page_s_token_does_not_bring_its_cookie_in(alice: User, lobby: Room) -> None:
    async with connect(
        "/ws/chat/lobby/", user=alice, secret="wrong", headers={"origin": "https://evil.example"}
    ) as socket:
        assert (await socket.next("auth"))["status"] == "error"


@in_threads
async def test_a_host_that_is_not_ours_makes_no_page_ours(alice: User, lobby: Room) -> None:
    rebound = {"host": "evil.example", "origin": "http://evil.example"}
    assert await name_in_lobby(user=alice, headers=rebound) == "403"


async def test_the_log_says_which_setting_would_trust_a_page(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(HandshakeRefused):
        async with connect("/ws/echo/", headers={"origin": "https://evil.example"}):
            pass
    assert "'https://evil.example'" in caplog.text
    assert "refused with 403" in caplog.text
    assert "ALLOWED_ORIGINS" in caplog.text


# Refusals.


@pytest.mark.parametrize(
    "path", ["/", "/ws/", "/ws/nothing/", "/ws/chat/", "/ws/echo/more/", "/ws/echo%0A", "/ws/Echo/"]
)
async def test_an_unknown_path_is_404(path: str) -> None:
    with pytest.raises(HandshakeRefused) as refused:
        async with connect(path):
            pass
    assert refused.value.status == 404


async def test_a_server_without_http_answers_closes_an_unknown_path() -> None:
    with pytest.raises(HandshakeRefused) as refused:
        async with connect("/ws/nothing/", extensions={}):
            pass
    assert refused.value.status == 403


async def test_a_silent_database_lets_nobody_in_as_a_guest(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(_secrets: list[str]) -> None:
        raise Unavailable("the database did not answer in time")

    monkeypatch.setattr(Token, "authenticate_all", silent)
    with pytest.raises(HandshakeRefused) as refused:
        async with connect("/ws/echo/", secret=new_secret()):
            pass
    assert refused.value.status == 503
    assert refused.value.headers == {"retry-after": "5"}
