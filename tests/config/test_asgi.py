"""What a proxy says of a client counts for pages too, from a trusted proxy only, and its own word only."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from pytest_django import Settings

from chat.models import Room
from config.asgi import application
from realtime.peer import READABLE

pytestmark = pytest.mark.django_db(transaction=True)

PROXY, STRANGER = "10.0.0.1", "192.0.2.1"


@pytest.fixture(autouse=True)
def _behind_a_proxy(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/24"]
    settings.TRUSTED_HEADERS = READABLE
    settings.ALLOWED_HOSTS = ["testserver", "other.example"]


async def reached(peer: str | None, *headers: tuple[str, str]) -> set[str]:
    """Where the home page says that sockets are: what the site takes its own address for."""
    sent = [(b"host", b"testserver"), *((name.encode(), value.encode()) for name, value in headers)]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "query_string": b"",
        "headers": sent,
        "client": peer and (peer, 50000),
    }
    asked: Any = ApplicationCommunicator(application, scope)  # type: ignore[no-untyped-call]
    await asked.send_input({"type": "http.request"})
    assert (await asked.receive_output(10))["status"] == 200
    page: str = (await asked.receive_output(10))["body"].decode()
    await asked.wait(10)
    return set(re.findall(r"wss?://[a-z.]+", page))


PROTO = "x-forwarded-proto"


async def test_a_trusted_proxy_says_that_it_was_https() -> None:
    assert await reached(PROXY, (PROTO, "https")) == {"wss://testserver"}
    assert await reached(PROXY, (PROTO, "http")) == {"ws://testserver"}
    assert await reached(PROXY) == {"ws://testserver"}


@pytest.mark.parametrize("peer", [STRANGER, None])
@pytest.mark.parametrize("name", [PROTO, "X-Forwarded-Proto", "x_forwarded_proto"])
async def test_nobody_else_does(peer: str | None, name: str) -> None:
    assert await reached(peer, (name, "https")) == {"ws://testserver"}


@pytest.mark.parametrize("said", [["https", "http"], ["https,http"], ["https, http"]])
async def test_only_the_proxy_s_own_word_counts(said: list[str]) -> None:
    assert await reached(PROXY, *[(PROTO, value) for value in said]) == {"ws://testserver"}
    assert await reached(PROXY, *[(PROTO, value) for value in said], (PROTO, "https")) == {"wss://testserver"}


async def test_only_a_trusted_proxy_names_another_host() -> None:
    host = ("x-forwarded-host", "other.example")
    assert await reached(PROXY, host) == {"ws://other.example"}
    assert await reached(STRANGER, host) == {"ws://testserver"}


async def posted(path: str, *chunks: bytes) -> tuple[int, int]:
    """The status of the answer to a body in chunks, and how many of them were read."""
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"testserver"), (b"content-type", b"text/plain")],
        "client": (STRANGER, 50000),
    }
    left = list(chunks)
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        if not left:
            return await asyncio.Event().wait()  # type: ignore[return-value]  # the client waits for the answer
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    serve: Any = application
    await asyncio.wait_for(serve(scope, receive, send), 10)
    return sent[0]["status"], len(chunks) - len(left)


@pytest.mark.parametrize("path", ["/accounts/login/", "/api/token/", "/nowhere/", "/api/nowhere/", "/api/chat/lobby/"])
async def test_a_body_without_end_is_refused_while_it_comes(path: str, settings: Settings) -> None:
    settings.CHORUS_MAX_FRAME_BYTES = 100_000
    status, read = await posted(path, *[b"x" * 10_000] * 1000)
    assert status == 413
    assert read <= 11


async def test_a_body_of_the_api_is_as_large_as_a_frame_may_be() -> None:
    status, read = await posted("/api/chat/lobby/messages/", *[b"x" * 10_000] * 100)
    assert (status, read) == (400, 100)


# A site under a path.

PAGES = [
    "/",
    "/chat/",
    "/chat/lobby/",
    "/counter/",
    "/notifications/",
    "/console/",
    "/accounts/login/",
    "/admin/login/",
]
Opened = Callable[[str, str], Awaitable[tuple[str, list[str]]]]


async def page(path: str, peer: str = STRANGER, root: str = "", *headers: tuple[str, str]) -> tuple[str, list[str]]:
    """A page as a server with that root path asks for it, and its Set-Cookie headers."""
    sent = [(b"host", b"testserver"), *((name.encode(), value.encode()) for name, value in headers)]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "query_string": b"",
        "path": root + path,
        "root_path": root,
        "headers": sent,
        "client": (peer, 50000),
    }
    asked: Any = ApplicationCommunicator(application, scope)  # type: ignore[no-untyped-call]
    await asked.send_input({"type": "http.request"})
    start = await asked.receive_output(10)
    body: str = (await asked.receive_output(10))["body"].decode()
    await asked.wait(10)
    assert start["status"] == 200, body
    return body, [value.decode() for name, value in start["headers"] if name.lower() == b"set-cookie"]


def addresses(body: str) -> set[str]:
    """What a page leads to on this host."""
    attributes = r'(?:href|src|action|data-route|value)="(/[^"]*)"'
    return {*re.findall(attributes, body), *re.findall(r"[a-z]+://testserver(/[^\s\"<&]*)", body)}


@pytest.fixture
def under(settings: Settings, development: None, lobby: Room) -> Opened:
    """Opens a page of a site that is at /chorus in one of three ways."""

    async def opened(path: str, way: str) -> tuple[str, list[str]]:
        if way == "setting":
            settings.FORCE_SCRIPT_NAME = "/chorus"
            return await page(path)
        if way == "server":
            return await page(path, STRANGER, "/chorus")
        return await page(path, PROXY, "", ("x-forwarded-prefix", "/chorus"))

    return opened


@pytest.mark.parametrize("way", ["setting", "server", "proxy"])
@pytest.mark.parametrize("path", PAGES)
async def test_a_page_under_a_path_leads_nowhere_else(path: str, way: str, under: Opened) -> None:
    body, cookies = await under(path, way)
    found = addresses(body)
    assert found
    assert {each for each in found if not each.startswith("/chorus/")} == set()
    assert [cookie for cookie in cookies if "; Path=/chorus;" not in f"{cookie};"] == []


async def test_elsewhere_a_page_is_at_the_top(lobby: Room) -> None:
    body, cookies = await page("/chat/lobby/", STRANGER, "", ("x-forwarded-prefix", "/chorus"))
    assert "chorus/" not in "".join(addresses(body))
    assert cookies
    assert [cookie for cookie in cookies if "; Path=/;" not in f"{cookie};"] == []
