"""The log of a real server: a line for each thing that happened, none that somebody made up, no secret."""

import asyncio
import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

import pytest
from websockets.asyncio.client import connect

from tests.processes import PASSWORD, TOKENS, Server, serve
from tests.servers.clients import bearer, closed, get, log_in_with_browser
from tests.servers.test_origins import PRODUCTION

HOSTILE = "eve\n12:30:05 login user=root\x1b[2J\u202e"
SLY = "eve user=root\u202e"
BAD = "chorus_" + "0" * 36
FORM = "application/x-www-form-urlencoded"
BURST = 20
"""Enough for all that the guests here ask, at one address."""


@pytest.fixture
def production() -> Iterator[Server]:
    """A server whose log is JSON."""
    with serve({**PRODUCTION, "CHORUS_COMMAND_BURST": str(BURST), "CHORUS_COMMAND_RATE": "0.001"}) as server:
        yield server


@pytest.fixture
def development() -> Iterator[Server]:
    """A server whose log is for people."""
    with serve() as server:
        yield server


def post(server: Server, path: str, body: str, content_type: str = FORM, **headers: str) -> int:
    """Send a form or JSON; gives the status."""
    connection = HTTPConnection("127.0.0.1", server.port)
    try:
        connection.request("POST", path, body.encode(), {"Content-Type": content_type, **headers})
        return connection.getresponse().status
    finally:
        connection.close()


def in_form(server: Server, path: str, cookies: str, **fields: str) -> int:
    """Send a form as a browser with these cookies does."""
    csrf = cookies.partition("csrftoken=")[2].partition(";")[0]
    return post(server, path, urlencode({**fields, "csrfmiddlewaretoken": csrf}), Cookie=cookies)


def log_in(server: Server, username: str, password: str) -> int:
    """Try a password on the login page."""
    cookies = get(server, "/accounts/login/").headers["Set-Cookie"].partition(";")[0]
    return in_form(server, "/accounts/login/", cookies, username=username, password=password)


def for_token(server: Server, username: str, password: str) -> int:
    """Try a password for a token."""
    return post(server, "/api/token/", json.dumps({"username": username, "password": password}), "application/json")


async def happen(server: Server) -> None:
    """One of everything that has a line."""
    assert log_in(server, HOSTILE, "wrong-secret") == 200
    cookies = log_in_with_browser(server, "root")
    assert for_token(server, SLY, "wrong-secret") == 401
    assert for_token(server, "alice", PASSWORD) == 201
    assert get(server, "/api/me", Authorization=f"Bearer {BAD}").status == 401
    assert in_form(server, "/admin/auth/group/add/", cookies, name="Our secret plans") == 302
    async with connect(f"{server.ws}/ws/chat/den/", additional_headers=bearer("root")) as socket:
        await socket.recv()
    assert post(server, "/api/chat/den/messages/", '{"text": "the body of a message"}', "application/json") == 401
    async with connect(f"{server.ws}/ws/secure-echo/") as socket:
        await socket.send(json.dumps({"token": BAD}))
        await closed(socket)
    async with connect(f"{server.ws}/ws/secure-echo/", additional_headers={"Authorization": f"Bearer {BAD}"}) as socket:
        await closed(socket)
    async with connect(f"{server.ws}/ws/secure-echo/") as socket:
        await socket.send(json.dumps({"token": TOKENS["alice"]}))
        await socket.recv()
    async with connect(f"{server.ws}/ws/chat/den/") as socket:
        await socket.recv()
        await socket.send("the body of a message")
        await socket.recv()
    async with connect(f"{server.ws}/ws/notifications/", additional_headers=bearer("bob")) as socket:
        for _ in range(BURST + 1):
            await socket.send(json.dumps({"action": "unsubscribe", "topics": ["no-topic-of-ours"]}))
            await socket.recv()


LINES: list[tuple[str, str, str]] = [
    # logger, how the message begins, who it is about
    ("chorus.accounts", "login denied: Wrong user name or password", HOSTILE),
    ("chorus.accounts", "login", "root"),
    ("chorus.accounts", "login denied: Wrong user name or password", SLY),
    ("chorus.accounts", "login", "alice"),
    ("chorus.http", "login denied: Invalid token", ""),
    ("chorus.admin", "admin", "root"),
    ("chorus.socket", "connect", "root"),
    ("chorus.socket", "close", "root"),
    ("chorus.http", "refused: Guests may not write here", "guest"),
    ("chorus.socket", "connect", "guest"),
    ("chorus.socket", "login denied: Invalid token", "guest"),
    ("chorus.socket", "close", "guest"),
    ("chorus.socket", "connect", "guest"),
    ("chorus.socket", "login denied: Invalid token", "guest"),
    ("chorus.socket", "close", "guest"),
    ("chorus.socket", "connect", "guest"),
    ("chorus.socket", "login", "alice"),
    ("chorus.socket", "close", "alice"),
    ("chorus.socket", "connect", "guest"),
    ("chorus.socket", "refused", "guest"),
    ("chorus.socket", "close", "guest"),
    ("chorus.socket", "connect", "bob"),
    ("chorus.socket", "refused", "bob"),
    ("chorus.socket", "close", "bob"),
]


def about(entry: dict[str, Any]) -> str:
    """Whom a line names, guests without their number."""
    name = str(entry.get("user", entry.get("who")))
    return "guest" if name.startswith("Guest-") else name


async def test_there_is_a_line_for_each_thing_and_no_other(production: Server) -> None:
    before = len(production.log)
    await happen(production)
    entries: list[dict[str, Any]] = []

    def told() -> bool:
        entries[:] = [json.loads(line) for line in production.log[before:].splitlines()]
        return len(entries) >= len(LINES)

    await asyncio.to_thread(production.wait_until, told, "all of it is in the log")
    found = [(entry["logger"], entry["message"], about(entry)) for entry in entries]
    assert len(found) == len(LINES), found
    for (logger, message, who), (expected_logger, begins, expected_who) in zip(found, LINES, strict=True):
        assert (logger, who) == (expected_logger, expected_who)
        assert message.startswith(begins)
    assert {entry.get("address", "127.0.0.1") for entry in entries} == {"127.0.0.1"}


async def test_a_log_for_people_has_no_line_that_somebody_made_up(development: Server) -> None:
    before = len(development.log)
    make = f"from django.contrib.auth.models import User; User.objects.create_user({HOSTILE!r}, password={PASSWORD!r})"
    await asyncio.to_thread(development.manage, "shell", "-c", make)
    assert for_token(development, SLY, "wrong-secret") == 401
    assert log_in(development, HOSTILE, "wrong-secret") == 200
    assert log_in(development, HOSTILE, PASSWORD) == 302
    await asyncio.to_thread(
        development.wait_until, lambda: len(development.log[before:].splitlines()) >= 3, "all of it is in the log"
    )
    written = development.log[before:]
    assert [line[9:].partition(" route=")[0] for line in written.splitlines()] == [
        f"login denied: Wrong user name or password user={SLY!r}",
        f"login denied: Wrong user name or password user={HOSTILE!r}",
        f"login user={HOSTILE!r}",
    ]
    assert "\x1b" not in written


async def test_no_secret_is_in_the_log(production: Server) -> None:
    await happen(production)
    cookies = log_in_with_browser(production, "root")
    session = cookies.partition("sessionid=")[2].partition(";")[0]
    for secret in (
        *TOKENS.values(),
        BAD,
        PASSWORD,
        "wrong-secret",
        session,
        "secret plans",
        "body of a message",
        "no-topic-of-ours",
    ):
        assert secret
        assert secret not in production.log
