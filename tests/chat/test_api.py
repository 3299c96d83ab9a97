"""Rooms over HTTP."""

import json

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from chat.models import Room
from realtime import db
from realtime.access import AccessLevel, Identity
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


async def test_a_room_that_is_not_there_is_not_found() -> None:
    assert (await ask("GET", "/api/chat/nowhere/messages/")).error == (404, "not_found")


@pytest.mark.parametrize("name", ["-a", "a%00", "%F0%9F%90%8D", "a" * 65])
async def test_a_name_that_no_room_can_have_is_invalid(name: str) -> None:
    assert (await ask("GET", f"/api/chat/{name}/messages/")).error == (400, "invalid")


async def test_the_newest_messages_come_first_of_all(lobby: Room) -> None:
    await post(lobby, "one", "two", "three")
    page = (await ask("GET", f"{SAY}?limit=2")).json
    assert [message["message"] for message in page["messages"]] == ["two", "three"]
    assert (page["seq"], page["more"]) == (3, True)


async def test_older_messages_are_asked_by_their_position(lobby: Room) -> None:
    await post(lobby, "one", "two", "three")
    page = (await ask("GET", f"{SAY}?before=3&limit=5")).json
    assert [message["seq"] for message in page["messages"]] == [1, 2]
    assert page["more"] is False


async def test_newer_messages_are_asked_page_by_page(lobby: Room) -> None:
    await post(lobby, "one", "two", "three")
    page = (await ask("GET", f"{SAY}?since=1&limit=1&epoch={lobby.epoch}")).json
    assert [message["seq"] for message in page["messages"]] == [2]
    assert (page["more"], page["recovered"]) == (True, True)


async def test_a_run_between_two_positions(lobby: Room) -> None:
    await post(lobby, "one", "two", "three", "four")
    page = (await ask("GET", f"{SAY}?since=1&before=4")).json
    assert [message["seq"] for message in page["messages"]] == [2, 3]
    assert page["more"] is False


@pytest.mark.parametrize("query", ["since=1&epoch=another", "since=99"])
async def test_a_position_that_means_nothing_is_told(lobby: Room, query: str) -> None:
    await post(lobby, "one", "two")
    page = (await ask("GET", f"{SAY}?{query}")).json
    assert page["recovered"] is False
    assert [message["seq"] for message in page["messages"]] == [1, 2]


async def test_the_entries_are_those_of_the_socket(alice: User, lobby: Room) -> None:
    await post(lobby, "one")
    page = (await ask("GET", SAY)).json
    async with connect("/ws/chat/lobby/?since=0") as socket:
        joined = await socket.next("joined")
    assert page["messages"] == joined["messages"]
    assert (page["seq"], page["epoch"]) == (joined["seq"], joined["epoch"])


async def test_a_name_is_lower_cased_first(lobby: Room) -> None:
    assert (await ask("GET", "/api/chat/LOBBY/messages")).json["room"] == "lobby"


async def test_unknown_fields_are_ignored(lobby: Room) -> None:
    answer = await ask("POST", SAY, body=json.dumps({"text": "Hi", "mood": "good"}))
    assert answer.status == 201
