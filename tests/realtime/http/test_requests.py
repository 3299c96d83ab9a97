"""How the API knows who asks, how often they may, and how it refuses."""

import asyncio

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import AsyncClient
from pytest_django import Settings

from accounts.models import Token
from chat.models import Room
from realtime import db as socket_db
from realtime.access import AccessLevel
from realtime.http.authentication import BadLogin
from tests.ask import ask
from tests.processes import PASSWORD

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


async def test_a_guest_who_needs_a_login_is_told_401(lobby: Room) -> None:
    await Room.objects.aupdate(guest_access=AccessLevel.READ)
    answer = await ask("POST", SAY, json={"text": "Hi"})
    assert answer.error == (401, "forbidden")


async def test_a_token_is_held_to_its_scopes(alice: User, lobby: Room) -> None:
    _, secret = await socket_db.run(Token.issue, alice, "reader", ["chat:read"])
    answer = await ask("POST", SAY, json={"text": "Hi"}, secret=secret)
    assert answer.error == (403, "forbidden")


# Pages of other sites.


async def test_a_page_of_another_site_may_not_write(lobby: Room) -> None:
    answer = await ask("POST", SAY, json={"text": "Hi"}, headers={"Origin": PARTNER})
    assert answer.error == (403, "forbidden")


async def test_cookies_do_not_count_on_another_site_s_page(alice: User) -> None:
    client = AsyncClient()
    await client.aforce_login(alice)
    answer = await ask("GET", "/api/me", client=client, headers={"Origin": PARTNER})
    assert answer.json["guest"] is True


async def test_only_an_allowed_site_may_read_the_answer(settings: Settings) -> None:
    settings.ALLOWED_ORIGINS = [PARTNER]
    allowed = await ask("GET", "/api/me", headers={"Origin": PARTNER})
    other = await ask("GET", "/api/me", headers={"Origin": "https://else.example"})
    assert allowed.response["Access-Control-Allow-Origin"] == PARTNER
    assert "Access-Control-Allow-Origin" not in other.response
    assert "Origin" in other.response["Vary"]


async def test_an_allowed_site_may_send_a_bearer_but_no_cookies(settings: Settings) -> None:
    settings.ALLOWED_ORIGINS = [PARTNER]
    preflight = await ask("OPTIONS", SAY, headers={"Origin": PARTNER})
    assert preflight.status == 204
    assert "Authorization" in preflight.response["Access-Control-Allow-Headers"]
    assert preflight.response["Access-Control-Allow-Headers"] == (
        "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Priority, Tags, Title"
    )
    assert "Access-Control-Allow-Credentials" not in preflight.response


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


# What is refused.


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"text": NaN}', b"[" * 5000])
async def test_what_is_no_json_object_is_told(lobby: Room, body: bytes) -> None:
    assert (await ask("POST", SAY, body=body)).error == (400, "bad_json")


async def test_a_wrong_field_is_named(lobby: Room) -> None:
    answer = await ask("POST", SAY, json={"text": 5})
    assert answer.error == (400, "invalid")
    assert "text" in answer.json["fields"]


async def test_a_wrong_query_is_named(lobby: Room) -> None:
    answer = await ask("GET", f"{SAY}?since=-1")
    assert answer.error == (400, "invalid")
    assert "since" in answer.json["fields"]


async def test_a_body_as_big_as_no_frame_may_be_is_refused(lobby: Room, settings: Settings) -> None:
    settings.CHORUS_MAX_FRAME_BYTES = 100
    assert (await ask("POST", SAY, json={"text": "x" * 100})).error == (413, "too_long")


async def test_a_body_that_django_would_not_read_is_refused(lobby: Room, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    assert (await ask("POST", SAY, json={"text": "x" * 100})).error == (413, "too_long")


async def test_an_unknown_address_is_told_in_json() -> None:
    assert (await ask("GET", "/api/nothing/here")).error == (404, "not_found")


async def test_a_wrong_method_is_told_in_json() -> None:
    answer = await ask("PUT", "/api/me")
    assert answer.error == (405, "unsupported_action")
    assert answer.response["Allow"] == "GET"


@pytest.mark.parametrize(("path", "allowed"), [("/api/me", "GET"), (SAY, "GET, POST"), ("/api/token/", "DELETE, POST")])
async def test_an_address_tells_what_can_be_done_there(path: str, allowed: str) -> None:
    answer = await ask("OPTIONS", path)
    assert answer.status == 204
    assert ", ".join(sorted(answer.response["Allow"].split(", "))) == allowed


async def test_a_browser_may_ask_at_an_unknown_address_to_be_told_so() -> None:
    assert (await ask("OPTIONS", "/api/nothing/here")).status == 204


async def test_an_error_names_the_key_of_its_request(lobby: Room) -> None:
    answer = await ask("POST", SAY, body=b"", headers={"Idempotency-Key": "7"})
    assert answer.json["id"] == "7"


@pytest.mark.parametrize("error", [OperationalError("locked"), socket_db.Unavailable()])
async def test_a_database_that_is_down_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, lobby: Room, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("chat.api.open_stream", fail)
    answer = await ask("GET", SAY)
    assert answer.error == (503, "unavailable")
    assert answer.response["Retry-After"] == "5"


def test_a_bad_login_is_an_error_of_the_protocol() -> None:
    assert BadLogin("no").code == "forbidden"


@pytest.mark.parametrize("path", ["me", "status", "protocol.json", "chat", "counter", "notifications"])
async def test_every_address_ends_with_a_slash_or_not(path: str) -> None:
    assert (await ask("GET", f"/api/{path}")).status == 200
    assert (await ask("GET", f"/api/{path}/")).status == 200


async def test_answers_are_kept_by_nobody(secret: str) -> None:
    assert (await ask("GET", "/api/me", secret=secret)).response["Cache-Control"] == "no-store"


async def test_a_password_in_a_bad_request_is_not_repeated(alice: User) -> None:
    answer = await ask("POST", "/api/token/", json={"username": 5, "password": PASSWORD})
    assert PASSWORD not in str(answer.json)
