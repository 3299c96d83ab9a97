"""Rooms over HTTP."""

import json

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from chat.models import Room
from realtime import access, db
from realtime.access import AccessLevel, Identity
from realtime.secrecy import NOT_SAYABLE
from realtime.testing import connect
from tests.ask import ask

pytestmark = pytest.mark.django_db(transaction=True)

SAY = "/api/chat/lobby/messages/"
BOT = Identity("program:bot", "bot")


async def post(room: Room, *texts: str) -> None:
    for text in texts:
        await db.run(room.post, BOT, text)


async def test_rooms_that_may_not_be_read_are_not_listed(lobby: Room) -> None:
    await Room.objects.acreate(name="board", guest_access=AccessLevel.NONE)
    answer = await ask("GET", "/api/chat/")
    assert [room["name"] for room in answer.json["rooms"]] == ["lobby"]


async def test_what_is_posted_reaches_a_socket(lobby: Room) -> None:
    async with connect("/ws/chat/lobby/") as socket:
        await socket.next("joined")
        answer = await ask("POST", SAY, json={"text": "Hi"})
        assert answer.status == 201
        assert await socket.next("chat") == answer.json


async def test_the_same_key_posts_once(lobby: Room) -> None:
    first, again = [await ask("POST", SAY, json={"text": "Hi"}, headers={"Idempotency-Key": "a"}) for _ in range(2)]
    assert (again.status, again.json) == (200, {**first.json, "duplicate": True})


async def test_the_same_key_for_something_else_is_a_conflict(lobby: Room) -> None:
    await ask("POST", SAY, json={"text": "Hi"}, headers={"Idempotency-Key": "a"})
    answer = await ask("POST", SAY, json={"text": "Ho"}, headers={"Idempotency-Key": "a"})
    assert answer.error == (409, "id_conflict")


async def test_a_text_is_as_long_as_on_a_socket(lobby: Room, settings: Settings) -> None:
    settings.CHORUS_MAX_TEXT = 3
    assert (await ask("POST", SAY, json={"text": "long"})).error == (413, "too_long")


async def test_the_entries_are_those_of_the_socket(alice: User, lobby: Room) -> None:
    await post(lobby, "one")
    page = (await ask("GET", SAY)).json
    async with connect("/ws/chat/lobby/?since=0") as socket:
        joined = await socket.next("joined")
    assert page["messages"] == joined["messages"]
    assert (page["seq"], page["epoch"]) == (joined["seq"], joined["epoch"])


async def test_unknown_fields_are_ignored(lobby: Room) -> None:
    answer = await ask("POST", SAY, body=json.dumps({"text": "Hi", "mood": "good"}))
    assert answer.status == 201


async def test_a_text_that_holds_a_token_is_invalid(lobby: Room, secret: str) -> None:
    answer = await ask("POST", SAY, json={"text": f"it is {secret}"})
    assert answer.error == (400, "invalid")
    assert answer.json["fields"] == {"text": NOT_SAYABLE}


async def test_a_guest_is_called_as_nobody_in_the_room(lobby: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "guest_name", lambda key, attempt=0: "Guest-1111111")
    async with connect("/ws/chat/lobby/") as socket:
        assert (await socket.next("joined"))["you"] == "Guest-1111111"
        assert (await ask("POST", SAY, json={"text": "Hi"})).json["sender"] != "Guest-1111111"
    alone = await ask("POST", "/api/chat/lobby/messages/", json={"text": "Hi again"})
    assert alone.json["sender"].startswith("Guest-")


async def test_what_is_posted_says_whose_it_is(lobby: Room, alice: User, secret: str) -> None:
    said = [(await ask("POST", SAY, json={"text": "Hi"}, secret=each)).json for each in (secret, secret, None, None)]
    ids = [each["sender_id"] for each in said]
    assert ids[0] == ids[1] != ids[2] == ids[3]
    assert ids[0] == (await ask("GET", "/api/me", secret=secret)).json["sender_id"]
