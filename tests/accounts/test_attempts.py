"""Failed logins are counted wherever one can log in, and end in a wait, for nobody but who failed."""

import asyncio
import json
import time
from datetime import timedelta

import pytest
from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth.models import User
from django.core.cache.backends.locmem import LocMemCache
from django.db import connection
from django.http import HttpRequest
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from accounts.attempts import Attempt, Attempts, count_bad_token
from accounts.secret import new_secret
from chat.models import Room
from realtime.db import Unavailable
from realtime.protocol import Refused
from realtime.testing import HandshakeRefused, connect
from tests.ask import Answer, ask
from tests.processes import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)

HERE, THERE = "127.0.0.1", "192.0.2.1"
SECONDS = 600


@pytest.fixture(autouse=True)
def _early_in_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may begin in one window and end in the next."""
    now = time.time() // SECONDS * SECONDS + 100
    monkeypatch.setattr("accounts.attempts.time.time", lambda: now)


@pytest.fixture
def limits(settings: Settings) -> None:
    """Two failures for a user, four for an address."""
    settings.AXES_FAILURE_LIMIT, settings.LOGIN_FAILURES_PER_ADDRESS = 2, 4


@pytest.fixture
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that is down."""

    def fail(*_: object, **__: object) -> None:
        raise ConnectionError

    for name in ("add", "incr", "get", "set", "delete"):
        monkeypatch.setattr(LocMemCache, name, fail)


async def log_in(username: str = "alice", password: str = PASSWORD) -> Answer:
    return await ask("POST", "/api/token/", json={"username": username, "password": password})


def on_page(username: str = "alice", password: str = PASSWORD, *, page: str = "login", address: str = HERE) -> int:
    """The status of the answer to a login on a page; 302 if it is one."""
    form = {"username": username, "password": password}
    return Client(REMOTE_ADDR=address).post(reverse(page), form).status_code


async def by_message(secret: str, path: str = "/ws/secure-echo/") -> str:
    """What a socket's login by message is answered; a failure closes with 1008."""
    async with connect(path) as socket:
        await socket.command("auth", token=secret)
        answer = await socket.next("auth")
        if answer["status"] == "ok":
            return "ok"
        assert await socket.closed() == (1008, "Authentication failed")
        return str(answer["message"])


async def by_bearer(secret: str) -> str:
    """The same for a token in the handshake."""
    async with connect("/ws/secure-echo/", secret=secret) as socket:
        answer = await socket.next("auth")
        assert await socket.closed() == (1008, "Authentication failed")
        return str(answer["message"])


# Passwords.


def test_the_limits_are_these_unless_set(settings: Settings) -> None:
    assert (settings.AXES_FAILURE_LIMIT, settings.LOGIN_FAILURES_PER_ADDRESS) == (10, 50)
    assert timedelta(minutes=10) == settings.AXES_COOLOFF_TIME


async def test_a_password_cannot_be_guessed_for_ever(alice: User, limits: None) -> None:
    assert [(await log_in(password="wrong")).status for _ in range(2)] == [401, 401]
    last = await log_in("ALICE")
    assert last.error == (429, "rate_limited")
    assert last.json["retry_after"] == 500
    assert last.response["Retry-After"] == "500"


async def test_guesses_at_once_do_not_outrun_the_count(alice: User, limits: None, settings: Settings) -> None:
    settings.LOGIN_FAILURES_PER_ADDRESS = 50
    answers = await asyncio.gather(*[log_in(password="wrong") for _ in range(7)])
    assert sorted(answer.status for answer in answers) == [401] * 2 + [429] * 5


@pytest.mark.parametrize("page", ["login", "admin:login"])
def test_a_page_says_how_long_to_wait(root: User, limits: None, page: str) -> None:
    assert [on_page("root", "wrong", page=page) for _ in range(2)] == [200, 200]
    answer = Client().post(reverse(page), {"username": "root", "password": PASSWORD})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "500")
    assert "Wait 9 minutes, then try again." in answer.text
    assert PASSWORD not in answer.text


def test_a_page_and_the_api_count_together(alice: User, limits: None) -> None:
    assert [on_page(password="wrong") for _ in range(2)] == [200, 200]
    answer = asyncio.run(log_in())
    assert answer.error == (429, "rate_limited")


def test_a_user_who_is_locked_out_here_logs_in_elsewhere(alice: User, limits: None) -> None:
    """Or anybody could lock out anybody whose name they know."""
    assert [on_page(password="wrong", address=THERE) for _ in range(3)] == [200, 200, 429]
    assert on_page() == 302


def test_another_user_at_the_same_address_logs_in(alice: User, bob: User, limits: None) -> None:
    """However often the first one goes on trying."""
    assert [on_page(password="wrong") for _ in range(9)] == [200] * 2 + [429] * 7
    assert on_page("bob") == 302


def test_an_address_cannot_guess_for_ever(alice: User, limits: None) -> None:
    assert [on_page(name) for name in ("a", "b", "c", "d")] == [200] * 4
    assert on_page() == 429
    assert on_page(address=THERE) == 302


def test_logging_in_takes_no_guesses_away(alice: User, settings: Settings) -> None:
    settings.AXES_FAILURE_LIMIT = settings.LOGIN_FAILURES_PER_ADDRESS = 1
    assert [on_page() for _ in range(3)] == [302] * 3
    assert [asyncio.run(log_in()).status for _ in range(3)] == [201] * 3


def test_a_good_password_forgets_the_failures_of_its_user_only(alice: User, bob: User, limits: None) -> None:
    assert [on_page(password="wrong"), on_page(), on_page(password="wrong"), on_page()] == [200, 302, 200, 302]
    assert [on_page("bob", "wrong"), on_page("bob", "wrong"), on_page("bob")] == [200, 200, 429]
    assert on_page("alice") == 429, "four failed here by now"


def test_a_name_written_otherwise_is_the_same_name(limits: None) -> None:
    for name in ("Alice", "ＡＬＩＣＥ"):
        Attempt(HERE, name).start()
    with pytest.raises(Refused):
        Attempt(HERE, "alice").start()


@pytest.mark.parametrize("name", ["", "\0", "\ud800", "a" * 10_000])
def test_any_name_can_be_counted(name: str) -> None:
    Attempt(HERE, name).start()


@pytest.mark.parametrize("other", ["2001:db8::ffff:1", "2001:db8:0:0:1::"])
def test_a_network_of_ipv6_is_one_address(other: str, alice: User, settings: Settings) -> None:
    settings.LOGIN_FAILURES_PER_ADDRESS = 1
    assert on_page(password="wrong", address="2001:db8::1") == 200
    assert on_page(address=other) == 429
    assert on_page(address="2001:db8:0:1::1") == 302
    assert on_page(password="wrong", address="::ffff:192.0.2.1") == 200
    assert on_page(address="192.0.2.1") == 429


def test_the_next_window_begins_anew(limits: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        Attempt(HERE, "alice").start()
    later = time.time() + SECONDS
    monkeypatch.setattr("accounts.attempts.time.time", lambda: later)
    Attempt(HERE, "alice").start()


def test_zero_is_no_limit(settings: Settings) -> None:
    settings.AXES_FAILURE_LIMIT = settings.LOGIN_FAILURES_PER_ADDRESS = 0
    for _ in range(60):
        Attempt(HERE, "alice").start()


def test_no_cool_off_is_no_limit(limits: None, settings: Settings) -> None:
    settings.AXES_COOLOFF_TIME = timedelta(0)
    for _ in range(9):
        Attempt(HERE, "alice").start()


async def test_the_address_is_that_of_the_last_trusted_hop(alice: User, limits: None, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = [HERE]

    async def status(forwarded: str) -> int:
        form = {"username": "alice", "password": "wrong"}
        client = AsyncClient()
        return (await client.post(reverse("login"), form, headers={"X-Forwarded-For": forwarded})).status_code

    assert [await status(f"198.51.100.{n}, {THERE}:{n}") for n in range(3)] == [200, 200, 429]
    assert await status("203.0.113.9") == 200


def test_nothing_is_written_to_the_database_for_a_failure(alice: User) -> None:
    with CaptureQueriesContext(connection) as queries:
        on_page(password="wrong")
    assert [query["sql"] for query in queries if not query["sql"].startswith("SELECT")] == []


# Tokens.


@pytest.mark.parametrize("secret", ["wrong", new_secret()], ids=["mistyped", "unknown"])
async def test_bad_tokens_are_counted_on_every_way_in(limits: None, secret: str) -> None:
    assert await by_message(secret) == "Invalid token"
    assert await by_message(secret, "/ws/echo/?login=message") == "Invalid token"
    assert await by_bearer(secret) == "Invalid token"
    assert (await ask("GET", "/api/me", secret=secret)).error == (401, "forbidden")
    assert await by_message(secret) == "Too many attempts"
    assert await by_bearer(secret) == "Too many attempts"
    over_http = await ask("GET", "/api/me", secret=secret)
    assert over_http.error == (429, "rate_limited")
    assert over_http.response["Retry-After"] == "500"
    assert "WWW-Authenticate" not in over_http.response


async def test_a_login_on_an_open_room_is_counted_too(lobby: Room, settings: Settings) -> None:
    settings.LOGIN_FAILURES_PER_ADDRESS = 1
    assert await by_message("wrong", "/ws/chat/lobby/") == "Invalid token"
    assert await by_message("wrong", "/ws/chat/lobby/") == "Too many attempts"


async def test_bad_tokens_lock_nobody_out_who_has_a_password(alice: User, limits: None) -> None:
    """A page of any site can have its visitors send them."""
    for _ in range(4):
        await count_bad_token(HERE)
    with pytest.raises(Refused):
        await count_bad_token(HERE)
    assert (await log_in()).status == 201


# From pages of other sites.

FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://testserver", "Sec-Fetch-Site": "same-site"},  # another scheme
    {"Sec-Fetch-Site": "cross-site"},
]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_a_password_from_a_foreign_page_is_neither_tried_nor_counted(
    alice: User, limits: None, headers: dict[str, str]
) -> None:
    said = {"username": "alice", "password": PASSWORD}
    for wrong in ("x", PASSWORD, *"xxxxxxxx"):
        answer = await ask("POST", "/api/token/", json={**said, "password": wrong}, headers=headers)
        assert answer.error == (403, "forbidden")
    assert (await log_in()).status == 201


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_what_is_no_page_sends_it_under_any_content_type(alice: User, content_type: str) -> None:
    body = json.dumps({"username": "alice", "password": PASSWORD})
    assert (await ask("POST", "/api/token/", body=body, content_type=content_type)).status == 201


async def test_pages_of_allowed_origins_and_ours_send_passwords(alice: User, settings: Settings) -> None:
    settings.ALLOWED_ORIGINS = ["https://partner.example"]
    said = {"username": "alice", "password": PASSWORD}
    for headers in (
        {"Origin": "https://partner.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://testserver"},
    ):
        assert (await ask("POST", "/api/token/", json=said, headers=headers)).status == 201


@pytest.mark.parametrize("page", ["login", "admin:login"])
def test_a_page_says_that_it_was_not_tried(root: User, limits: None, page: str) -> None:
    form = {"username": "root", "password": PASSWORD}
    for _ in range(5):
        answer = Client(headers={"Sec-Fetch-Site": "cross-site"}).post(reverse(page), form)
        assert answer.status_code == 403
    assert "another site" in answer.text
    assert on_page("root", page=page) == 302


async def test_a_good_token_is_let_in_whoever_failed_beside_it(secret: str, limits: None) -> None:
    """Nobody guesses 178 bits, and who shares an address with a broken script has done nothing."""
    for _ in range(6):
        await by_message("wrong")
    assert await by_message(secret) == "ok"
    assert (await ask("GET", "/api/me", secret=secret)).status == 200


async def test_good_tokens_count_nowhere(secret: str, limits: None) -> None:
    assert await asyncio.gather(*[by_message(secret) for _ in range(8)]) == ["ok"] * 8
    assert await by_message("wrong") == "Invalid token"


# Without the cache.


def test_without_its_count_no_page_logs_anybody_in(alice: User, no_cache: None) -> None:
    answer = Client().post(reverse("login"), {"username": "alice", "password": PASSWORD})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "Try again in a moment." in answer.text
    assert "sessionid" not in answer.cookies


async def test_without_its_count_no_password_gives_a_token(alice: User, no_cache: None) -> None:
    assert (await log_in()).error == (503, "unavailable")


async def test_without_its_count_a_bad_token_is_unavailable(no_cache: None) -> None:
    assert (await ask("GET", "/api/me", secret="wrong")).error == (503, "unavailable")
    with pytest.raises(HandshakeRefused) as refused:
        await by_bearer("wrong")
    assert refused.value.status == 503
    async with connect("/ws/secure-echo/") as socket:
        await socket.command("auth", token="wrong")
        assert "Storage is not available" in str(await socket.frame())
        assert (await socket.closed())[0] == 1013


async def test_without_its_count_a_good_token_is_let_in(secret: str, no_cache: None) -> None:
    assert await by_message(secret) == "ok"


async def test_a_cache_that_never_answers_is_waited_for_no_longer_than_storage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("realtime.db.WAIT_SECONDS", 0.05)
    monkeypatch.setattr(Attempt, "start", lambda _: time.sleep(0.2))
    with pytest.raises(Unavailable):
        await count_bad_token(HERE)


def test_a_cache_that_dies_during_a_good_login_does_not_undo_it(
    alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(LocMemCache, "delete", fail)
    assert on_page() == 302
    assert "a good login could not be taken back (ConnectionError)" in caplog.text


# How it is wired.


def test_axes_asks_us() -> None:
    assert isinstance(AxesProxyHandler.get_implementation(), Attempts)


def test_a_login_that_nobody_attempted_takes_nothing_back(alice: User, no_cache: None) -> None:
    """A test, or a site that logs people in by itself."""
    AxesProxyHandler.user_logged_in(sender=None, request=HttpRequest(), user=alice)


# What is told of it.


async def test_each_failed_login_is_one_line_with_its_name_and_address(
    alice: User, limits: None, caplog: pytest.LogCaptureFixture
) -> None:
    def lines() -> list[str]:
        found = [line for line in caplog.messages if line.startswith("login")]
        caplog.clear()
        return found

    await log_in(password="wrong")
    assert lines() == ["login denied: Wrong user name or password user=alice route=/api/token/ address=127.0.0.1"]
    await asyncio.to_thread(on_page, "alice", "wrong", address=THERE)
    assert lines() == ["login denied: Wrong user name or password user=alice route=/accounts/login/ address=192.0.2.1"]
    await log_in(password="wrong")
    lines()
    await log_in()
    assert lines() == ["login denied: Too many attempts user=alice route=/api/token/ address=127.0.0.1"]
    await ask("GET", "/api/me", secret="wrong")
    (line,) = lines()
    assert line.startswith("login denied: Invalid token route=/api/me who= address=127.0.0.1")


def test_who_is_no_staff_is_told_of_too(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    assert on_page(page="admin:login") == 200
    (line,) = [line for line in caplog.messages if line.startswith("login")]
    assert line == "login denied: Not staff user=alice route=/admin/login/ address=127.0.0.1"
