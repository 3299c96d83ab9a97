"""How a request is refused: in the words of the protocol, with a fitting status."""

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest
from django.db import OperationalError
from django.http import HttpRequest

from chat.models import Room
from realtime import db as socket_db
from realtime.access import AccessLevel
from realtime.http.replies import refusal_of
from tests.ask import ask
from tests.processes import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)

SAY = "/api/chat/lobby/messages/"


async def test_a_guest_who_needs_a_login_is_told_401(lobby: Room) -> None:
    await Room.objects.aupdate(guest_access=AccessLevel.READ)
    answer = await ask("POST", SAY, json={"text": "Hi"})
    assert answer.error == (401, "forbidden")


async def test_a_wrong_query_is_named(lobby: Room) -> None:
    answer = await ask("GET", f"{SAY}?since=-1")
    assert answer.error == (400, "invalid")
    assert "since" in answer.json["fields"]


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


async def test_a_password_in_a_bad_request_is_not_repeated(alice: User) -> None:
    answer = await ask("POST", "/api/token/", json={"username": 5, "password": PASSWORD})
    assert PASSWORD not in str(answer.json)


async def test_however_much_is_wrong_the_answer_is_short(lobby: Room) -> None:
    answer = await ask("POST", "/api/token/", json={"username": "a", "password": "b", "scopes": [""] * 90 + [0] * 900})
    assert answer.error == (400, "invalid")
    assert len(answer.response.content) < 4096


async def test_what_a_client_said_is_not_repeated_at_length() -> None:
    refused = refusal_of(BadRequest("x" * 10_000), HttpRequest())
    assert len(refused.message) < 300
