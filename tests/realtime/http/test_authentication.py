"""Who asks over HTTP, and how often they may."""

import asyncio

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient, RequestFactory
from pytest_django import Settings

from accounts.models import Token
from chat.models import Room
from realtime.http.authentication import BadLogin, is_foreign
from realtime.rates import GUESTS_TOGETHER
from realtime.testing import connect
from tests.ask import ask

pytestmark = pytest.mark.django_db(transaction=True)

SAY = "/api/chat/lobby/messages/"
PARTNER = "https://partner.example"


# Who asks.


async def test_a_bearer_token_speaks_for_its_owner(alice: User, secret: str) -> None:
    answer = await ask("GET", "/api/me", secret=secret)
    assert answer.json["username"] == "alice"


async def test_using_a_token_is_noted(token: Token, secret: str) -> None:
    await ask("GET", "/api/me", secret=secret)
    async with asyncio.timeout(5):  # it is noted beside the answer
        while not await Token.objects.filter(pk=token.pk, last_used_at__isnull=False).aexists():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("secret", ["", "x", "chorus_" + "0" * 36])
async def test_a_bad_bearer_is_never_a_guest(secret: str) -> None:
    answer = await ask("GET", "/api/me", secret=secret)
    assert answer.error == (401, "forbidden")
    assert answer.response["WWW-Authenticate"] == "Bearer"


async def test_another_scheme_is_somebody_else_s(lobby: Room) -> None:
    answer = await ask("GET", "/api/me", headers={"Authorization": "Basic YTpi"})
    assert answer.json["guest"] is True


async def test_a_session_is_its_user_s(alice: User) -> None:
    client = AsyncClient()
    await client.aforce_login(alice)
    assert (await ask("GET", "/api/me", client=client)).json["username"] == "alice"


async def test_a_session_changes_nothing_without_the_csrf_token(alice: User, lobby: Room) -> None:
    client = AsyncClient(enforce_csrf_checks=True)
    await client.aforce_login(alice)
    answer = await ask("POST", SAY, json={"text": "Hi"}, client=client)
    assert answer.error == (403, "forbidden")


async def test_a_session_with_the_csrf_token_may(alice: User, lobby: Room) -> None:
    client = AsyncClient(enforce_csrf_checks=True)
    await client.aforce_login(alice)
    client.cookies["csrftoken"] = "a" * 32
    answer = await ask("POST", SAY, json={"text": "Hi"}, client=client, headers={"X-CSRFToken": "a" * 32})
    assert (answer.status, answer.json["sender"]) == (201, "alice")


async def test_a_bearer_needs_no_csrf_token_beside_a_session(alice: User, lobby: Room, secret: str) -> None:
    client = AsyncClient(enforce_csrf_checks=True)
    await client.aforce_login(alice)
    assert (await ask("POST", SAY, json={"text": "Hi"}, client=client, secret=secret)).status == 201


async def test_a_guest_without_a_cookie_is_known_by_their_address(lobby: Room) -> None:
    first, again = [await ask("GET", "/api/me") for _ in range(2)]
    assert first.json["username"] == again.json["username"]


def test_a_bad_login_is_an_error_of_the_protocol() -> None:
    assert BadLogin("no").code == "forbidden"


# Pages of other sites.


async def test_a_page_of_another_site_may_not_write(lobby: Room) -> None:
    answer = await ask("POST", SAY, json={"text": "Hi"}, headers={"Origin": PARTNER})
    assert answer.error == (403, "forbidden")


async def test_cookies_do_not_count_on_another_site_s_page(alice: User) -> None:
    client = AsyncClient()
    await client.aforce_login(alice)
    answer = await ask("GET", "/api/me", client=client, headers={"Origin": PARTNER})
    assert answer.json["guest"] is True


# How often.


async def test_who_asks_too_often_waits(settings: Settings) -> None:
    settings.CHORUS_COMMAND_RATE, settings.CHORUS_COMMAND_BURST = 0.1, 2
    *_, last = [await ask("GET", "/api/me") for _ in range(3)]
    assert last.error == (429, "rate_limited")
    assert 0 < int(last.response["Retry-After"]) <= 10


async def test_one_user_s_haste_is_not_another_s(settings: Settings, secret: str) -> None:
    settings.CHORUS_COMMAND_RATE, settings.CHORUS_COMMAND_BURST = 0.1, 1
    await ask("GET", "/api/me")
    assert (await ask("GET", "/api/me", secret=secret)).status == 200


async def test_requests_and_sockets_of_a_person_count_together(settings: Settings, alice: User, secret: str) -> None:
    settings.CHORUS_COMMAND_RATE, settings.CHORUS_COMMAND_BURST = 0.1, 1
    async with connect("/ws/notifications/", user=alice) as socket:
        await socket.command("unsubscribe", topics=["alerts"])
        await socket.next("unsubscribed")
    assert (await ask("GET", "/api/me", secret=secret)).error == (429, "rate_limited")


async def test_a_guest_with_new_cookies_has_no_more_than_ten_people(settings: Settings) -> None:
    settings.CHORUS_COMMAND_RATE, settings.CHORUS_COMMAND_BURST = 0.01, 1
    statuses = []
    for _ in range(GUESTS_TOGETHER + 1):
        client = AsyncClient()
        await client.get("/console/", secure=True)
        statuses.append((await ask("GET", "/api/me", client=client)).status)
    assert statuses == [200] * GUESTS_TOGETHER + [429]


async def test_a_long_body_counts_as_several(settings: Settings, lobby: Room) -> None:
    settings.CHORUS_COMMAND_RATE, settings.CHORUS_COMMAND_BURST = 0.1, 3
    assert (await ask("POST", SAY, json={"text": "x" * 8192 * 3})).error == (413, "too_long")
    assert (await ask("GET", "/api/me")).error == (429, "rate_limited")


async def test_a_page_of_history_costs_as_much_as_five_requests(settings: Settings, lobby: Room) -> None:
    settings.CHORUS_COMMAND_RATE, settings.CHORUS_COMMAND_BURST = 0.1, 6
    assert [(await ask("GET", SAY)).status for _ in range(3)] == [200, 200, 429]


async def test_what_many_read_costs_more(
    settings: Settings, lobby: Room, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.hub.hub.SOCKETS_PER_COST", 1)
    settings.CHORUS_COMMAND_RATE, settings.CHORUS_COMMAND_BURST = 0.1, 2
    async with connect("/ws/chat/lobby/") as reader, connect("/ws/chat/lobby/"):
        await reader.next("joined")
        assert (await ask("POST", SAY, json={"text": "to two"}, secret=secret)).status == 201
        assert (await ask("POST", SAY, json={"text": "too soon"}, secret=secret)).error == (429, "rate_limited")


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        ({}, False),
        ({"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}, False),
        ({"Origin": PARTNER, "Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "Cross-Site"}, True),
        ({"Origin": "http://testserver", "Sec-Fetch-Site": "cross-site"}, True),
        ({"Origin": "https://testserver"}, True),
        ({"Origin": "null"}, True),
    ],
)
def test_a_foreign_page_is_known_by_its_headers(headers: dict[str, str], foreign: bool, settings: Settings) -> None:
    settings.ALLOWED_ORIGINS = [PARTNER]
    assert is_foreign(RequestFactory().post("/", headers=headers)) is foreign


async def test_a_guest_without_a_cookie_is_the_same_under_a_new_key(settings: Settings) -> None:
    before = (await ask("GET", "/api/me")).json["username"]
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new one", [settings.SECRET_KEY]
    assert (await ask("GET", "/api/me")).json["username"] == before
    settings.SECRET_KEY_FALLBACKS = []
    assert (await ask("GET", "/api/me")).json["username"] != before
