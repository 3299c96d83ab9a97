"""Origins over a real server: in development a foreign page is a guest, in production it is refused."""

import json
from collections.abc import Iterator

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from tests.processes import TOKENS, Server, serve
from tests.servers.clients import bearer, log_in_with_browser

EVIL = "https://evil.example"


@pytest.fixture(scope="module", params=["development", "production"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A server of each kind, plain HTTP and without Redis, and which it is."""
    env = {} if request.param == "development" else PRODUCTION
    with serve(env, data_dir=tmp_path_factory.mktemp("data")) as server:
        yield server, request.param


PRODUCTION = {
    "DEBUG": "0",
    "DJANGO_SETTINGS_MODULE": "tests.servers.plain_settings",
    "ALLOWED_HOSTS": "127.0.0.1",
    "HTTPS": "0",
    "REDIS_URL": "memory://",
}


async def let_in(server: Server, origin: str, way: str) -> str:
    """As whom one is let in, or the status that refused the handshake."""
    headers = bearer("alice") if way == "bearer" else {}
    if way == "cookie":
        headers = {"Cookie": log_in_with_browser(server, "alice")}
    query = "?login=message" if way == "first message" else ""
    address = f"{server.ws}/ws/notifications/{query}"
    try:
        async with connect(address, origin=Origin(origin), additional_headers=headers) as socket:
            if way == "first message":
                await socket.send(json.dumps({"token": TOKENS["alice"]}))
                assert json.loads(await socket.recv())["status"] == "ok"
            await socket.send(json.dumps({"action": "subscribe", "topics": ["me"]}))
            return "guest" if json.loads(await socket.recv())["type"] == "error" else "alice"
    except InvalidStatus as refused:
        return str(refused.response.status_code)


@pytest.mark.parametrize("way", ["cookie", "bearer", "first message", "guest"])
async def test_our_own_page_is_let_in(site: tuple[Server, str], way: str) -> None:
    server, _ = site
    assert await let_in(server, server.http, way) == ("guest" if way == "guest" else "alice")


@pytest.mark.parametrize("way", ["cookie", "bearer", "first message", "guest"])
@pytest.mark.parametrize("origin", [EVIL, "null", "prefix", "port", "scheme"])
async def test_a_foreign_page_is_a_guest_or_refused(site: tuple[Server, str], origin: str, way: str) -> None:
    server, kind = site
    tricks = {
        "prefix": f"{server.http}.evil.example",
        "port": "http://127.0.0.1:1",
        "scheme": server.http.replace("http", "https"),
    }
    foreign = {"development": "guest", "production": "403"}[kind]
    expected = foreign if way in {"cookie", "guest"} else "alice"
    assert await let_in(server, tricks.get(origin, origin), way) == expected


async def test_the_log_names_the_setting(site: tuple[Server, str]) -> None:
    server, kind = site
    before = len(server.log)
    await let_in(server, EVIL, "guest")
    server.wait_until(lambda: "ALLOWED_ORIGINS" in server.log[before:], "the log says so")
    (line,) = [line for line in server.log[before:].splitlines() if "ALLOWED_ORIGINS" in line]
    assert EVIL in line
    assert ("refused with 403" in line) == (kind == "production")
