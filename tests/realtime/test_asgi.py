"""Whose cookies count, and which handshakes are refused."""

import json
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.models import User
from pytest_django import Settings

from accounts.models import Token
from accounts.secret import new_secret
from chat.models import Room
from realtime.asgi import http_application
from realtime.conf import conf
from realtime.db import Unavailable
from realtime.peer import READABLE
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


async def test_handshakes_are_counted_for_a_network_before_they_cost_anything(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CHORUS_CONNECT_BURST, settings.CHORUS_CONNECT_RATE = 2, 0.1
    settings.CHORUS_CONNECTIONS_PER_ADDRESS = settings.CHORUS_CONNECTIONS_PER_USER = 1
    statuses: list[int] = []
    for path in ("/ws/echo/", "/ws/nothing/", "/ws/echo/", "/ws/nothing/"):
        try:
            async with connect(path, client=("2001:db8::7", 1)):
                statuses.append(101)
        except HandshakeRefused as refused:
            statuses.append(refused.status)
            headers = refused.headers
    assert statuses == [101, 404, 429, 429]
    assert 9 <= int(headers["retry-after"]) <= 10
    assert len([line for line in caplog.messages if "too many handshakes" in line]) == 1
    with pytest.raises(HandshakeRefused, match="429"):
        async with connect("/ws/echo/", client=("2001:db8::8", 1)):
            pass
    async with connect("/ws/echo/", client=("2001:db8:1::7", 1)):
        pass


@in_threads
async def test_handshakes_of_who_logs_in_leave_room_for_others(settings: Settings, alice: User, bob: User) -> None:
    settings.CHORUS_CONNECT_BURST, settings.CHORUS_CONNECT_RATE = 1, 0.1
    settings.CHORUS_CONNECTIONS_PER_ADDRESS = settings.CHORUS_CONNECTIONS_PER_USER = 1
    for each in (alice, bob):
        async with connect("/ws/echo/", user=each, client=("192.0.2.7", 1)) as socket:
            await socket.send("Hello")
            assert await socket.frame() == "Hello"


@in_threads
async def test_one_person_connects_no_more_often_than_a_network(settings: Settings, alice: User) -> None:
    settings.CHORUS_CONNECT_BURST, settings.CHORUS_CONNECT_RATE = 1, 0.1
    settings.CHORUS_CONNECTIONS_PER_ADDRESS = settings.CHORUS_CONNECTIONS_PER_USER = 1
    async with connect("/ws/echo/", user=alice, client=("192.0.2.7", 1)):
        pass
    async with connect("/ws/echo/", user=alice, client=("192.0.2.7", 1)) as socket:
        assert await socket.frame() == "Error: Too many connections in a short time"
        assert (await socket.closed())[0] == 1013


@in_threads
async def test_to_log_in_again_makes_no_room_for_strangers(settings: Settings, secret: str) -> None:
    settings.CHORUS_CONNECT_BURST, settings.CHORUS_CONNECT_RATE = 2, 0.01
    settings.CHORUS_CONNECTIONS_PER_ADDRESS = settings.CHORUS_CONNECTIONS_PER_USER = 1
    login, client = json.dumps({"token": secret}), ("192.0.2.7", 1)
    async with connect("/ws/secure-echo/", client=client) as socket:
        for _ in range(3):
            await socket.send(login)
            assert (await socket.event())["status"] == "ok"
        for _ in range(2):
            async with connect("/ws/echo/", client=client):
                pass
        with pytest.raises(HandshakeRefused, match="429"):
            async with connect("/ws/echo/", client=client):
                pass


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


async def test_in_production_a_socket_s_host_has_to_be_ours_as_a_page_s(
    settings: Settings, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DEBUG = False
    for more in ({}, {"origin": "http://evil.example"}):
        with pytest.raises(HandshakeRefused) as refused:
            async with connect("/ws/echo/", secret=secret, headers={"host": "evil.example", **more}):
                pass
        assert refused.value.status == 403
        assert "host 'evil.example'" in caplog.text
        assert "ALLOWED_HOSTS" in caplog.text
    settings.DEBUG = True
    async with connect("/ws/echo/", headers={"host": "evil.example"}):
        pass


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


# Who is at the other end.

PROXY = "10.0.0.1"
FORWARDED = {
    "host": "chat.example",
    "x-forwarded-for": "203.0.113.7:51234",
    "x-forwarded-proto": "wss",
    "x-forwarded-port": "8443",
    "x-forwarded-prefix": "/chorus",
}


@pytest.fixture
def behind_proxies(settings: Settings) -> Settings:
    """A site behind a proxy that sets every header."""
    settings.TRUSTED_PROXIES, settings.TRUSTED_HEADERS = [PROXY], READABLE
    settings.ALLOWED_HOSTS = ["chat.example"]
    return settings


@pytest.mark.usefixtures("behind_proxies")
async def test_a_socket_is_where_its_proxy_has_it() -> None:
    ours = {**FORWARDED, "origin": "https://chat.example:8443"}
    async with connect("/ws/echo/", client=(PROXY, 1), headers=ours) as socket:
        scope = socket.communicator.scope
        assert (scope["scheme"], scope["root_path"], scope["path"]) == ("wss", "/chorus", "/chorus/ws/echo/")
        assert scope["peer"].address == "203.0.113.7"
    with pytest.raises(HandshakeRefused):
        async with connect("/ws/echo/", client=(PROXY, 1), headers={**FORWARDED, "origin": "https://chat.example"}):
            pass


@pytest.mark.parametrize("path", ["/chorus/ws/echo/", "/ws/echo/"])
async def test_a_proxy_may_leave_on_the_prefix_that_a_setting_names(path: str, settings: Settings) -> None:
    settings.FORCE_SCRIPT_NAME = "/chorus"
    async with connect(path) as socket:
        assert socket.communicator.scope["path"] == "/chorus/ws/echo/"


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("198.51.100.7:1", "198.51.100.7:2", True),
        ("2001:db8:9:9::1", "2001:db8:9:9::2", True),
        ("198.51.100.7", "::ffff:198.51.100.7", True),
        ("198.51.100.7", "198.51.100.8", False),
        ("2001:db8:9:9::1", "2001:db8:9:8::1", False),
    ],
)
async def test_guests_of_one_network_share_its_connections(
    first: str, second: str, together: bool, behind_proxies: Settings
) -> None:
    behind_proxies.CHORUS_CONNECTIONS_PER_ADDRESS = 1
    assert conf.connections_per_address == 1
    headers = {"host": "chat.example"}
    async with (
        connect("/ws/echo/", client=(PROXY, 1), headers={**headers, "x-forwarded-for": first}),
        connect("/ws/echo/", client=(PROXY, 1), headers={**headers, "x-forwarded-for": second}) as socket,
    ):
        await socket.send("hi")
        assert ("Too many connections" in str(await socket.frame())) is together


async def reached(client: str, path: str, sent: list[tuple[str, str]], **more: Any) -> dict[str, Any]:
    """The scope that Django is given; without one what was answered."""
    seen: dict[str, Any] = {}

    async def inner(scope: dict[str, Any], _receive: Any, send: Any) -> None:
        seen.update(scope)
        await send({"type": "http.response.start", "status": 204, "headers": []})

    headers = [(name.encode(), value.encode("latin-1")) for name, value in sent]
    scope = {"type": "http", "method": "GET", "scheme": "http", "path": path, "client": (client, 1), "headers": headers}
    asked: Any = ApplicationCommunicator(http_application(inner), {**scope, **more})  # type: ignore[no-untyped-call]
    await asked.send_input({"type": "http.request"})
    answer = await asked.receive_output(5)
    return seen or {**answer, **(await asked.receive_output(5))}


@pytest.mark.usefixtures("behind_proxies")
async def test_django_sees_a_request_as_its_client_made_it() -> None:
    seen = await reached(PROXY, "/chat/", [*FORWARDED.items(), ("accept", "*/*"), ("x-real-ip", "1.1.1.1")])
    assert (seen["scheme"], seen["client"], seen["root_path"]) == ("https", ("203.0.113.7", 0), "/chorus")
    assert seen["path"] == "/chorus/chat/"
    assert seen["headers"] == [(b"accept", b"*/*"), (b"host", b"chat.example:8443")]


@pytest.mark.usefixtures("behind_proxies")
@pytest.mark.parametrize(
    "name",
    [
        *("X-Forwarded-Proto", "x_forwarded_proto", "x-real-ip", "Forwarded", "X-Forwarded-Ssl", "x-forwarded-server"),
        *("X-Original-Host", "X_Client_IP", "True-Client-IP", "CF-Connecting-IP", "Front-End-Https"),
    ],
)
async def test_django_sees_nothing_that_a_stranger_forwards(name: str) -> None:
    seen = await reached("192.0.2.1", "/", [("host", "chat.example"), (name, "https")])
    assert (seen["scheme"], seen["client"]) == ("http", ("192.0.2.1", 0))
    assert seen["headers"] == [(b"host", b"chat.example")]


@pytest.mark.usefixtures("behind_proxies")
async def test_a_host_that_is_not_ours_is_left_for_django_to_refuse() -> None:
    sent = [("host", "chat.example"), ("x-forwarded-host", "evil.example")]
    assert (await reached(PROXY, "/", sent))["headers"] == [(b"host", b"evil.example")]
    sent = [("host", "chat.example"), ("host", "evil.example")]
    assert (await reached("192.0.2.1", "/", sent))["headers"] == [(b"host", b"chat.example,evil.example")]


@pytest.mark.parametrize("root", ["", "/chorus"])
async def test_a_socket_without_upgrade_is_426_and_a_line(root: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    answer = await reached("192.0.2.1", f"{root}/ws/chat/lobby/", [], root_path=root)
    assert answer["status"] == 426
    assert (b"upgrade", b"websocket") in answer["headers"]
    assert b"no Upgrade header" in answer["body"]
    assert (b"connection", b"close") in answer["headers"], "what may follow as its body is not read"
    assert "without a handshake route=/ws/chat/lobby/ address=192.0.2.1" in caplog.text
