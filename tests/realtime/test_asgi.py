"""Whose cookies count, whose address it is, and which handshakes are refused."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from accounts.models import Token
from accounts.secret import new_secret
from chat.models import Room
from realtime.asgi import client_address, own_origin
from realtime.db import Unavailable
from tests.connect import OWN_ORIGIN, HandshakeRefused, connect

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


@pytest.mark.parametrize(
    ("host", "scheme", "origin"),
    [
        ("testserver", "ws", "http://testserver"),
        ("testserver:8000", "ws", "http://testserver:8000"),
        ("testserver:80", "ws", "http://testserver"),
        ("TestServer", "wss", "https://testserver"),
        ("testserver:443", "wss", "https://testserver"),
        ("testserver:443", "ws", "http://testserver:443"),
        ("evil.example", "ws", None),
        ("testserver@evil.example", "ws", None),
        ("", "ws", None),
    ],
)
def test_our_own_origin_is_how_the_client_reached_us(host: str, scheme: str, origin: str | None) -> None:
    assert own_origin({"scheme": scheme, "headers": [(b"host", host.encode())]}) == origin


@pytest.mark.parametrize(("peer", "origin"), [("10.0.0.1", "https://testserver"), ("10.0.0.2", "http://testserver")])
def test_only_a_trusted_proxy_says_that_it_was_https(peer: str, origin: str, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.1"]
    headers = [(b"host", b"testserver"), (b"x-forwarded-proto", b"https")]
    assert own_origin({"scheme": "ws", "client": (peer, 1), "headers": headers}) == origin


# Addresses.

PROXIES = ["10.0.0.0/8", "fd00::/8"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["1.1.1.1"], "192.0.2.1"),
        ("10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["1.1.1.1, 192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["1.1.1.1, 192.0.2.7, 10.0.0.2"], "192.0.2.7"),
        ("10.0.0.1", ["1.1.1.1", "192.0.2.7", "10.0.0.2"], "192.0.2.7"),
        ("10.0.0.1", ["10.0.0.3,10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [" , ,"], "10.0.0.1"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        ("10.0.0.1", ["unknown"], "unknown"),
        ("10.0.0.1", ["x" * 1000], "x" * 64),
    ],
)
def test_the_address_is_the_nearest_hop_that_is_no_proxy(
    peer: str, forwarded: list[str], address: str, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = PROXIES
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    assert client_address({"client": (peer, 50000), "headers": headers}) == address


@pytest.mark.parametrize("client", [None, ("", 0), [None, None]])
def test_a_client_on_a_unix_socket_has_no_address(client: object) -> None:
    assert client_address({"client": client, "headers": []}) == ""


def test_without_trusted_proxies_nobody_is_believed(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = []
    headers = [(b"x-forwarded-for", b"1.1.1.1")]
    assert client_address({"client": ("127.0.0.1", 1), "headers": headers}) == "127.0.0.1"


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
