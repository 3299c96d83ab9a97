"""Tokens and the visitor's own identity over HTTP."""

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from accounts.models import Token
from realtime import db
from realtime.people import ids_of
from tests.ask import Answer, ask
from tests.processes import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


async def log_in(username: str = "alice", password: str = PASSWORD, **more: object) -> Answer:
    return await ask("POST", "/api/token/", json={"username": username, "password": password, **more})


async def test_a_password_gives_a_token_that_works(alice: User) -> None:
    made = await log_in(name="Laptop", scopes=["chat:read"], days=7)
    assert (made.status, made.json["name"], made.json["scopes"]) == (201, "Laptop", ["chat:read"])
    me = await ask("GET", "/api/me", secret=made.json["token"])
    assert me.json["username"] == "alice"
    assert me.json["token"]["expires_at"] == made.json["expires_at"]


async def test_a_token_may_never_expire(alice: User) -> None:
    assert "expires_at" not in (await log_in(days="never")).json


@pytest.mark.parametrize(("username", "password"), [("alice", "wrong"), ("nobody", PASSWORD)])
async def test_a_wrong_password_and_an_unknown_user_are_told_alike(alice: User, username: str, password: str) -> None:
    answer = await log_in(username, password)
    assert answer.error == (401, "forbidden")
    assert answer.json["message"] == "Wrong user name or password."


async def test_a_deactivated_user_gets_no_token(alice: User) -> None:
    await User.objects.aupdate(is_active=False)
    assert (await log_in()).status == 401


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "a\0b"),
        ("username", ""),
        ("password", 5),
        ("scopes", ["chat"]),
        ("scopes", ["*", "chat:read"]),
        ("name", ""),
        ("name", " "),
        ("days", 0),
        ("days", "ever"),
    ],
)
async def test_a_wrong_field_is_named(alice: User, field: str, value: object) -> None:
    said = {"username": "alice", "password": PASSWORD, field: value}
    answer = await ask("POST", "/api/token/", json=said)
    assert answer.error == (400, "invalid")
    assert any(name.startswith(field) for name in answer.json["fields"])


async def test_a_token_revokes_itself(token: Token, secret: str) -> None:
    assert (await ask("DELETE", "/api/token/", secret=secret)).status == 204
    assert (await ask("GET", "/api/me", secret=secret)).error == (401, "forbidden")


async def test_without_a_token_there_is_nothing_to_revoke() -> None:
    assert (await ask("DELETE", "/api/token/")).error == (401, "forbidden")


async def test_a_guest_is_told_their_name() -> None:
    me = (await ask("GET", "/api/me")).json
    assert me["guest"] is True
    assert me["username"].startswith("Guest-")


async def test_a_token_too_many_is_refused(alice: User, settings: Settings) -> None:
    settings.CHORUS_TOKENS_PER_USER = 1
    assert (await log_in()).status == 201
    answer = await log_in()
    assert answer.error == (403, "forbidden")
    assert "Revoke one first." in answer.json["message"]


async def test_who_asks_for_tokens_too_often_waits(alice: User, settings: Settings) -> None:
    settings.CHORUS_COMMAND_RATE, settings.CHORUS_COMMAND_BURST = 0.1, 2
    answers = [await ask("POST", "/api/token/", json={}) for _ in range(3)]
    assert [answer.status for answer in answers] == [400, 400, 429]


async def test_a_name_is_compared_in_the_form_of_the_login_page() -> None:
    user = await User.objects.acreate(username="jos\u00e9")
    user.set_password(PASSWORD)
    await user.asave()
    assert (await log_in("jose\u0301")).status == 201


async def test_who_asks_is_told_the_id_that_others_know_them_by(alice: User, secret: str) -> None:
    ids = await db.run(ids_of, [f"user:{alice.pk}"])
    assert (await ask("GET", "/api/me", secret=secret)).json["sender_id"] == ids[f"user:{alice.pk}"]
    guest = [(await ask("GET", "/api/me")).json["sender_id"] for _ in range(2)]
    assert guest[0] == guest[1] not in ids.values()
