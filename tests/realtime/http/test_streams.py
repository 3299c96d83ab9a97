"""Streams over HTTP: opened by name, listed, read page by page. Rooms stand for all."""

import pytest
from django.contrib.auth.models import User

from accounts.models import Token
from chat.models import Room
from realtime import db
from realtime.access import AccessLevel, Identity
from realtime.streams.replay import FRAME_BYTES
from tests.ask import ask

pytestmark = pytest.mark.django_db(transaction=True)

SAY = "/api/chat/lobby/messages/"
BOT = Identity("program:bot", "bot")


async def post(room: Room, *texts: str) -> None:
    for text in texts:
        await db.run(room.post, BOT, text)


async def listed(secret: str | None = None) -> list[str]:
    return [room["name"] for room in (await ask("GET", "/api/chat/", secret=secret)).json["rooms"]]


# Opening one.


async def test_a_room_that_is_not_there_is_not_found() -> None:
    assert (await ask("GET", "/api/chat/nowhere/messages/")).error == (404, "not_found")


@pytest.mark.parametrize("name", ["-a", "a%00", "%F0%9F%90%8D", "a" * 65])
async def test_a_name_that_no_room_can_have_is_invalid(name: str) -> None:
    assert (await ask("GET", f"/api/chat/{name}/messages/")).error == (400, "invalid")


async def test_a_name_is_lower_cased_first(lobby: Room) -> None:
    assert (await ask("GET", "/api/chat/LOBBY/messages")).json["room"] == "lobby"


async def test_a_token_is_held_to_its_scopes(alice: User, lobby: Room) -> None:
    _, secret = await db.run(Token.issue, alice, "reader", ["chat:read"])
    answer = await ask("POST", SAY, json={"text": "Hi"}, secret=secret)
    assert answer.error == (403, "forbidden")


# Listing them.


async def test_a_list_has_what_its_reader_may_read(alice: User, lobby: Room) -> None:
    await Room.objects.acreate(name="board", guest_access=AccessLevel.NONE)
    _, secret = await db.run(Token.issue, alice, "laptop")
    assert await listed() == ["lobby"]
    assert await listed(secret) == ["board", "lobby"]


async def test_a_list_has_what_its_reader_s_token_may_read_too(alice: User, lobby: Room) -> None:
    await Room.objects.acreate(name="board")
    _, secret = await db.run(Token.issue, alice, "reader", ["chat:read:board", "chat:write"])
    assert await listed(secret) == ["board"]


# Reading one.


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


LONG = "\U00020000" * 10_000
"""40 kB, as one message may have."""


@pytest.mark.parametrize("query", ["limit=300", "since=0&limit=300", "before=12&limit=300"])
async def test_a_page_is_no_larger_than_a_frame_and_tells_that_there_is_more(lobby: Room, query: str) -> None:
    await post(lobby, *[LONG] * 12)
    answer = await ask("GET", f"{SAY}?{query}")
    assert len(answer.response.content) <= FRAME_BYTES
    assert answer.json["more"] is True
    assert len(answer.json["messages"]) == 6


async def test_all_is_found_page_by_page(lobby: Room) -> None:
    await post(lobby, *[LONG] * 12)
    found: list[int] = []
    more = True
    while more:
        page = (await ask("GET", f"{SAY}?since={found[-1] if found else 0}&limit=300")).json
        found += [message["seq"] for message in page["messages"]]
        more = page["more"]
    assert found == list(range(1, 13))
