"""An API's addresses, and what pages of other sites may ask there."""

import pytest
from pytest_django import Settings

from tests.ask import ask

pytestmark = pytest.mark.django_db(transaction=True)

SAY = "/api/chat/lobby/messages/"
PARTNER = "https://partner.example"


# Addresses.


@pytest.mark.parametrize("path", ["me", "status", "protocol.json", "chat", "counter", "notifications"])
async def test_every_address_ends_with_a_slash_or_not(path: str) -> None:
    assert (await ask("GET", f"/api/{path}")).status == 200
    assert (await ask("GET", f"/api/{path}/")).status == 200


async def test_an_unknown_address_is_told_in_json() -> None:
    assert (await ask("GET", "/api/nothing/here")).error == (404, "not_found")


async def test_unknown_addresses_count_too(settings: Settings) -> None:
    settings.CHORUS_COMMAND_RATE, settings.CHORUS_COMMAND_BURST = 0.1, 2
    assert [(await ask("GET", "/api/nothing/here")).status for _ in range(3)] == [404, 404, 429]


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


async def test_answers_are_kept_by_nobody(secret: str) -> None:
    assert (await ask("GET", "/api/me", secret=secret)).response["Cache-Control"] == "no-store"


# Pages of other sites.


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
