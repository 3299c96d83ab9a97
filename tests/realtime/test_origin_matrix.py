"""Every kind of origin, with every way to log in, in development and in production: who it lets in as."""

import json
from typing import Literal

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from chat.models import Room
from realtime.testing import HandshakeRefused, connect

pytestmark = pytest.mark.django_db(transaction=True)

Way = Literal["cookie", "bearer", "first message", "guest"]

HOST = "chat.example.com"
OURS = f"https://{HOST}"
PARTNER = "https://partner.example"

TRUSTED: dict[str, list[str]] = {
    "ours": [OURS],
    "absent": [],
    "one of ALLOWED_ORIGINS": [PARTNER],
}
FOREIGN: dict[str, list[str]] = {
    "foreign": ["https://evil.example"],
    "null": ["null"],
    "empty": [""],
    "a suffix of ours": ["https://example.com"],
    "ours as a suffix": [f"https://evil{HOST}"],
    "ours as a subdomain's parent": [f"https://evil.{HOST}"],
    "ours as a prefix": [f"{OURS}.evil.example"],
    "ours as a prefix of a word": [f"{OURS}x"],
    "ours as a user name": [f"{OURS}@evil.example"],
    "ours with a path": [f"{OURS}/"],
    "another port": [f"{OURS}:8443"],
    "the default port written out": [f"{OURS}:443"],
    "http for https": [f"http://{HOST}"],
    "ws for http": [f"wss://{HOST}"],
    "no scheme": [HOST],
    "upper case": [OURS.upper()],
    "a trailing dot": [f"{OURS}."],
    "a partner's suffix": [f"{PARTNER}.evil.example"],
    "a partner's other scheme": [PARTNER.replace("https", "http")],
    "ours twice": [OURS, OURS],
    "ours, then another": [OURS, "https://evil.example"],
    "another, then ours": ["https://evil.example", OURS],
    "two in one": [f"https://evil.example {OURS}"],
}
# As whom each way lets in from a trusted page, from a foreign one in development, and in production.
AS: dict[Way, tuple[str, str, str]] = {
    "cookie": ("alice", "Guest", "403"),
    "bearer": ("alice", "alice", "alice"),
    "first message": ("alice", "alice", "alice"),
    "guest": ("Guest", "Guest", "403"),
}
ORIGINS = {**TRUSTED, **FOREIGN}
SITES = {"development": True, "production": False}


@pytest.fixture(autouse=True)
def _site(settings: Settings, lobby: Room) -> None:
    settings.ALLOWED_HOSTS = [HOST]
    settings.ALLOWED_ORIGINS = [PARTNER]


async def let_in(way: Way, origins: list[str], user: User, secret: str) -> str:
    """Who one is in the lobby, without a guest's number; or the status that refused the handshake."""
    path = "/ws/chat/lobby/" + ("?login=message" if way == "first message" else "")
    # A cookie comes along on every way from a browser that is logged in; only where there is none is one a guest.
    cookie = None if way == "guest" else user
    given = secret if way == "bearer" else None
    raw = [(b"origin", origin.encode()) for origin in origins]
    try:
        async with connect(
            path, user=cookie, secret=given, headers={"host": HOST, "origin": None}, raw=raw, scheme="wss"
        ) as socket:
            if way == "first message":
                assert await socket.silent(), "nothing is told before the login"
                await socket.send(json.dumps({"token": secret}))
            return str((await socket.next("joined"))["you"]).partition("-")[0]
    except HandshakeRefused as refused:
        return str(refused.status)


@pytest.mark.parametrize("debug", SITES.values(), ids=SITES)
@pytest.mark.parametrize("way", AS)
@pytest.mark.parametrize("origin", ORIGINS)
async def test_an_origin_lets_in_as(
    origin: str, way: Way, debug: bool, bob: User, secret: str, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DEBUG = debug
    trusted, development, production = AS[way]
    expected = trusted if origin in TRUSTED else development if debug else production
    # The cookie is another person's than the token, so that each shows which of them counted.
    found = await let_in(way, ORIGINS[origin], bob, secret)
    assert found == ("bob" if expected == "alice" and way == "cookie" else expected)
    told = [line for line in caplog.messages if line.startswith("foreign origin ")]
    assert len(told) == (origin in FOREIGN and way in {"cookie", "guest"})
    assert all("add it to ALLOWED_ORIGINS" in line and line.isprintable() for line in told)


@pytest.mark.parametrize("query", ["login=message&login=x", "login=Message", "login=", "xlogin=message"])
async def test_only_who_has_to_log_in_by_message_needs_no_origin(query: str) -> None:
    headers = {"host": HOST, "origin": "https://evil.example"}
    with pytest.raises(HandshakeRefused) as refused:
        async with connect(f"/ws/chat/lobby/?{query}", headers=headers):
            pass
    assert refused.value.status == 403


async def test_a_foreign_page_that_does_not_log_in_is_told_nothing() -> None:
    headers = {"host": HOST, "origin": "https://evil.example"}
    async with connect("/ws/chat/lobby/?login=message", headers=headers) as socket:
        await socket.command("history")
        assert (await socket.event())["status"] == "error"
        assert (await socket.closed())[0] == 1008


async def test_a_page_reached_with_a_trailing_dot_is_the_same_page() -> None:
    headers = {"host": f"{HOST}.", "origin": f"{OURS}."}
    async with connect("/ws/chat/lobby/", headers=headers, scheme="wss") as socket:
        await socket.next("joined")
