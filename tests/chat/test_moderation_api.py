"""Keeping order in a room over HTTP."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient, Client

from accounts.models import Token
from chat.models import Room, Sanction
from realtime import db
from realtime.access import Identity
from realtime.people import ids_of
from realtime.testing import connect
from tests.ask import Answer, ask

pytestmark = pytest.mark.django_db(transaction=True)
LOBBY = "/ws/chat/lobby/"
ENDED = (4503, "a moderator ended your connection")


@pytest.fixture
def key(mod: User) -> str:
    """The secret of a moderator's token."""
    return Token.issue(mod, "bot", ["chat:moderate"])[1]


async def at(user: User, act: str = "", room: str = "lobby") -> str:
    """The address of somebody in a room."""
    identity = Identity.of_user(user)
    ids = await db.run(ids_of, [identity.key])
    return f"/api/chat/{room}/people/{ids[identity.key]}/{act}"


async def test_a_card_says_who_somebody_is_and_what_holds_for_them(
    key: str, mod: User, alice: User, lobby: Room
) -> None:
    await ask("POST", await at(alice, "mute/"), json={"seconds": 600, "reason": "Shouting"}, secret=key)
    async with connect(LOBBY, user=alice) as socket:
        await socket.next("joined")
        card = (await ask("GET", await at(alice), secret=key)).json
    [held] = card.pop("imposed")
    assert (held["kind"], held["reason"], held["by"], "until" in held) == ("mute", "Shouting", "mod", True)
    assert await at(mod) == f"/api/chat/lobby/people/{held['by_id']}/"
    assert (card["name"], card["guest"], card["connections"]) == ("alice", False, 1)
    assert {"member_since", "here_since"} <= card.keys()
    assert "spared" not in card


async def test_who_is_not_here_has_a_card_too(key: str, alice: User, lobby: Room) -> None:
    card = (await ask("GET", await at(alice), secret=key)).json
    assert (card["connections"], card["imposed"]) == (0, [])
    assert "here_since" not in card


async def test_a_mute_is_told_at_once_and_lifted(key: str, alice: User, lobby: Room) -> None:
    async with connect(LOBBY, user=alice) as socket:
        await socket.next("joined")
        answer = await ask("POST", await at(alice, "mute/"), json={"reason": "Shouting"}, secret=key)
        assert (answer.status, answer.json["kind"], "until" in answer.json) == (201, "mute", False)
        told = await socket.next("rights", write=False)
        assert told["message"] == "You are muted in this room. Reason: Shouting"
        assert (await ask("DELETE", await at(alice, "mute/"), secret=key)).status == 204
        await socket.next("rights", write=True)
    assert (await ask("DELETE", await at(alice, "mute/"), secret=key)).error == (404, "not_found")


async def test_a_guest_is_banned_by_the_id_that_others_see(key: str, lobby: Room) -> None:
    async with connect(LOBBY) as guest:
        you = (await guest.next("joined"))["you_id"]
        address = f"/api/chat/lobby/people/{you}/"
        card = (await ask("GET", address, secret=key)).json
        assert (card["guest"], card["connections"]) == (True, 1)
        answer = await ask("POST", f"{address}ban/", json={"seconds": 60, "reason": "Spam"}, secret=key)
        code, reason = await guest.ended()
    assert answer.status == 201
    assert (code, reason.endswith("UTC. Reason: Spam")) == (4506, True)


async def test_a_disconnect_ends_the_sockets_in_that_room_and_no_others(key: str, alice: User, lobby: Room) -> None:
    await db.run(lambda: Room.objects.create(name="other"))
    async with (
        connect(LOBBY, user=alice) as one,
        connect(LOBBY, user=alice) as two,
        connect("/ws/chat/other/", user=alice) as stays,
    ):
        for socket in (one, two, stays):
            await socket.next("joined")
        answer = await ask("POST", await at(alice, "disconnect/"), json={}, secret=key)
        assert (answer.status, answer.json) == (200, {"connections": 2})
        assert [await one.ended(), await two.ended()] == [ENDED, ENDED]
        await stays.command("send", text="still here")
        await stays.next("chat", message="still here")


async def test_staff_are_spared_with_the_reason(key: str, alice: User, lobby: Room) -> None:
    await User.objects.filter(pk=alice.pk).aupdate(is_staff=True)
    for method, act in (("POST", "mute/"), ("POST", "ban/"), ("DELETE", "mute/"), ("POST", "disconnect/")):
        answer = await ask(method, await at(alice, act), json={}, secret=key)
        assert answer.error == (403, "forbidden")
        assert "only superusers" in answer.json["message"]
    assert "only superusers" in (await ask("GET", await at(alice), secret=key)).json["spared"]


async def test_a_private_room_answers_as_one_that_is_not_there(key: str, alice: User, vault: Room) -> None:
    answers = [await ask("POST", await at(alice, "mute/", room), json={}, secret=key) for room in ("vault", "nowhere")]
    assert [answer.error for answer in answers] == [(404, "not_found")] * 2
    assert answers[0].json == answers[1].json


@pytest.mark.parametrize(
    "sent",
    [
        {"seconds": 0},
        {"seconds": -5},
        {"seconds": 10**12},
        {"seconds": "x"},
        {"seconds": 1.5},
        {"reason": "x" * 201},
        {"reason": "a\x00b"},
        {"reason": 5},
    ],
)
async def test_what_makes_no_sense_is_told(sent: dict[str, Any], key: str, alice: User, lobby: Room) -> None:
    answer = await ask("POST", await at(alice, "mute/"), json=sent, secret=key)
    assert answer.error == (400, "invalid")
    assert not await Sanction.objects.aexists()


@pytest.mark.parametrize("person", ["nobody", "A" * 16, "A" * 23, "a.b", "%00"])
async def test_who_is_not_there_is_not_found(person: str, key: str, lobby: Room) -> None:
    answer = await ask("POST", f"/api/chat/lobby/people/{person}/mute/", json={}, secret=key)
    assert answer.status in {400, 404}


async def test_there_are_two_kinds(key: str, alice: User, lobby: Room) -> None:
    assert (await ask("POST", await at(alice, "exile/"), json={}, secret=key)).error == (400, "invalid")


async def test_a_page_s_cookie_moderates_with_the_csrf_token_alone(mod: User, alice: User, lobby: Room) -> None:
    def browser() -> dict[str, str]:
        client = Client()
        client.force_login(mod)
        client.get("/chat/lobby/")
        return {name: morsel.value for name, morsel in client.cookies.items()}

    cookies = await db.run(browser)
    address = await at(alice, "mute/")
    for headers, status in (({}, 403), ({"X-CSRFToken": cookies["csrftoken"]}, 201)):
        client = AsyncClient(enforce_csrf_checks=True)
        client.cookies.load(cookies)
        answer: Answer = await ask("POST", address, json={}, headers=headers, client=client)
        assert answer.status == status
