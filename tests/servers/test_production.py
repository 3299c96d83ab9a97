"""The site as it is deployed: DEBUG off, PostgreSQL, Redis, two workers behind a proxy that speaks HTTPS."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from tests.processes import PostgresServer, Server, manage, redis_server, serve
from tests.servers.clients import Member, bearer, closed, get

SITE, SIBLING, STRANGER = "https://chat.example.com", "https://www.example.com", "https://evil.example"
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "tests.servers.production_settings",
    "DEBUG": "0",
    "ALLOWED_HOSTS": "chat.example.com",
    "ALLOWED_ORIGINS": SIBLING,
    "TRUSTED_PROXIES": "127.0.0.1",
}
BROWSER = {"Host": "chat.example.com"}
PROXY = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.5"}


@pytest.fixture(scope="module")
def server(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The site in production."""
    data_dir = tmp_path_factory.mktemp("data")
    with redis_server() as redis:
        env = {**PRODUCTION, "DATABASE_URL": postgres.database(), "REDIS_URL": redis.url}
        manage("collectstatic", "--no-input", env=env, data_dir=data_dir)
        with serve(env, workers=2, data_dir=data_dir) as running:
            yield running


def visit(server: Server, path: str, person: str | None = None, origin: str | None = None) -> connect:
    """Connect as a browser or a program does through the proxy."""
    headers = {**PROXY, **(bearer(person) if person else {})}
    return connect(
        f"ws://chat.example.com{path}",
        host="127.0.0.1",
        port=server.port,
        origin=Origin(origin) if origin else None,
        additional_headers=headers,
    )


async def test_guests_read_what_members_write(server: Server) -> None:
    async with visit(server, "/ws/chat/hall/", "root") as socket:
        await Member(socket).next("joined")  # staff make a room by going there
    async with visit(server, "/ws/chat/hall/", "alice") as socket, visit(server, "/ws/chat/hall/") as other:
        alice, guest = Member(socket), Member(other)
        for one in (alice, guest):
            await one.next("joined")
        said = await alice.say("welcome")
        assert await guest.hear("welcome") == said
        for action in ("send", "typing", "delete"):
            await guest.send(action, text="hi", seq=1, id=action)
            refused = await guest.next("error", id=action)
            assert refused["code"] == "forbidden"
            assert refused["message"] == "Guests may not write here. Log in first."
        await guest.send("history", id="1")
        assert (await guest.next("history"))["messages"] == [said]


@pytest.mark.parametrize("person", [None, "bob"])
async def test_a_room_that_nobody_made_closes_with_4504(server: Server, person: str | None) -> None:
    async with visit(server, "/ws/chat/nowhere/", person) as socket:
        assert json.loads(await socket.recv())["code"] == "not_found"
        assert (await closed(socket))[0] == 4504


@pytest.mark.parametrize("route", ["echo", "greet", "broadcast"])
async def test_guests_may_use_the_plain_routes(server: Server, route: str) -> None:
    async with visit(server, f"/ws/{route}/") as socket:
        await socket.send("hi")
        assert "hi" in await socket.recv()


FOREIGN = [STRANGER, "null", "http://chat.example.com", f"{SITE}:8443", f"{SITE}.evil.example"]


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_foreign_origin_is_refused_with_403(server: Server, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await visit(server, "/ws/echo/", origin=origin).__aenter__()
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("origin", [None, SITE, SIBLING])
async def test_our_own_origin_an_allowed_one_and_none_are_let_in(server: Server, origin: str | None) -> None:
    async with visit(server, "/ws/echo/", origin=origin) as socket:
        await socket.send("hi")
        assert await socket.recv() == "hi"


async def test_a_bearer_token_needs_no_origin_of_ours(server: Server) -> None:
    async with visit(server, "/ws/secure-echo/", "alice", origin=STRANGER) as socket:
        await socket.send("hi")
        assert await socket.recv() == "[alice] hi"


async def test_an_unknown_route_is_a_404(server: Server) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await visit(server, "/ws/nothing/").__aenter__()
    assert refused.value.response.status_code == 404


def test_pages_are_served_by_https_only(server: Server) -> None:
    redirect = get(server, "/", **BROWSER)
    assert (redirect.status, redirect.headers["Location"]) == (301, f"{SITE}/")
    page = get(server, "/", **BROWSER, **PROXY)
    assert page.status == 200
    assert "wss://chat.example.com" in page.text
    assert "ws://" not in page.text


def test_static_files_are_served_by_their_content(server: Server) -> None:
    page = get(server, "/", **BROWSER, **PROXY)
    paths = {part.partition('"')[0] for part in page.text.split('="/static/')[1:]}
    assert paths
    for path in paths:
        file = get(server, f"/static/{path}", **BROWSER, **PROXY)
        assert file.status == 200
        assert "immutable" in file.headers["Cache-Control"]


def test_a_page_that_is_not_there_tells_nothing(server: Server) -> None:
    page = get(server, "/nothing/", **BROWSER, **PROXY)
    assert page.status == 404
    assert "urlpatterns" not in page.text


async def test_the_log_is_json_with_a_line_on_connect_and_one_on_close(server: Server) -> None:
    async with visit(server, "/ws/time/", "alice") as socket:
        await socket.recv()
    lines: list[dict[str, Any]] = []

    def told() -> bool:
        lines[:] = [json.loads(line) for line in server.log.splitlines()]
        return any(line.get("route") == "/ws/time/" and "code" in line for line in lines)

    server.wait_until(told, "the close is in the log")
    connected, left = [line for line in lines if line.get("route") == "/ws/time/"]
    assert (connected["who"], connected["address"]) == ("alice", "203.0.113.5")
    assert (left["who"], left["address"], left["code"]) == ("alice", "203.0.113.5", 1000)
    assert left["seconds"] >= 0
