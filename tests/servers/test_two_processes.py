"""Two servers that share a database and a Redis are one place."""

import asyncio
import json
from contextlib import closing
from http.client import HTTPConnection
from uuid import uuid4

from websockets.asyncio.client import connect

from tests.processes import Server
from tests.servers.clients import bearer, closed, member, users_in

Pair = tuple[Server, Server]


async def test_a_message_crosses(pair: Pair) -> None:
    first, second = pair
    async with member(first, "alice", "crossing") as alice, member(second, "bob", "crossing") as bob:
        said = await alice.say("over there?")
        assert await bob.hear("over there?") == said
        answered = await bob.say("over here")
        assert await alice.hear("over here") == answered
        assert answered["seq"] == said["seq"] + 1


async def test_a_count_crosses(pair: Pair) -> None:
    first, second = pair
    async with member(first, "alice", "counting"), member(first, "bob", "counting"):
        assert (await users_in(second, "counting", "alice", "bob"))["count"] == 3


async def test_who_has_a_tab_on_each_comes_once_and_goes_once_for_all(pair: Pair) -> None:
    first, second = pair
    async with member(first, "alice", "doors") as alice:
        async with member(second, "bob", "doors"):
            came = await alice.next("system", event="join")
            assert (came["message"], came["users"]["count"]) == ("bob joined the chat", 2)
            async with member(first, "bob", "doors") as tab:
                users = tab.joined["users"]
                assert (users["count"], users["connections"], users["names"]) == (2, 3, ["alice", "bob"])
        went = await alice.next("system", event="leave")
    assert (went["message"], went["users"]["count"]) == ("bob left the chat", 1)
    doors = [event["message"] for event in alice.heard if event["type"] == "system"]
    assert doors == ["bob joined the chat", "bob left the chat"]


async def test_who_comes_is_told_at_once(pair: Pair) -> None:
    first, second = pair
    async with member(first, "alice", "porch") as alice, asyncio.timeout(10):
        for _ in range(4):  # whom nobody tells of would be found one by one, every 5 seconds
            async with member(second, None, "porch"):
                await alice.next("system", event="join")


async def test_a_broadcast_crosses(pair: Pair) -> None:
    first, second = pair
    async with connect(f"{first.ws}/ws/broadcast/") as one, connect(f"{second.ws}/ws/broadcast/") as two:
        for frame in ("text", b"\x00\xff", ""):
            await one.send(frame)
            assert [await one.recv(), await two.recv()] == [frame, frame]


async def test_a_relayed_text_crosses_but_does_not_come_back(pair: Pair) -> None:
    first, second = pair
    async with connect(f"{first.ws}/ws/relay/") as one, connect(f"{second.ws}/ws/relay/") as two:
        await one.send("hi")
        assert await two.recv() == "Someone said: hi"
        await two.send("hello")
        assert await one.recv() == "Someone said: hello"


async def test_typing_crosses_to_everyone_but_the_typist(pair: Pair) -> None:
    first, second = pair
    async with (
        member(first, "alice", "typing") as alice,
        member(second, "alice", "typing") as also_alice,
        member(second, "bob", "typing") as bob,
    ):
        await alice.send("typing")
        assert (await bob.next("typing"))["sender"] == "alice"
        await bob.say("what is it?")
        await also_alice.hear("what is it?")
    assert "typing" not in {event["type"] for event in also_alice.heard}


async def test_a_deletion_crosses(pair: Pair) -> None:
    first, second = pair
    async with member(first, "alice", "regrets") as alice, member(second, "bob", "regrets") as bob:
        said = await alice.say("something silly")
        await alice.send("delete", seq=said["seq"], id="undo")
        assert (await bob.next("deleted"))["target"] == said["seq"]
    async with member(second, "bob", "regrets") as bob:
        tombstone = bob.joined["messages"][0]
        assert tombstone["deleted"] is True
        assert "message" not in tombstone


async def test_an_id_used_on_both_at_once_gives_one_message(pair: Pair) -> None:
    first, second = pair
    async with member(first, "alice", "twins") as here, member(second, "alice", "twins") as there:
        for _ in range(10):
            same = str(uuid4())
            answers = await asyncio.gather(here.say("once", same), there.say("once", same))
            assert len({answer["seq"] for answer in answers}) == 1
            await there.send("send", text="once", id=same)
            repeated = await there.next("chat", id=same, duplicate=True)
            assert repeated["seq"] == answers[0]["seq"]
        await here.send("history", limit=300)
        history = await here.next("history")
    assert [entry["seq"] for entry in history["messages"]] == list(range(1, 11))


async def test_what_both_say_at_once_comes_to_both_in_one_order(pair: Pair) -> None:
    first, second = pair
    async with member(first, "alice", "chorus") as alice, member(second, "bob", "chorus") as bob:
        await asyncio.gather(*(one.talk(25) for one in (alice, bob)))
        await asyncio.gather(*(one.until_seq(50) for one in (alice, bob)))
    assert [event["seq"] for event in alice.said] == list(range(1, 51))
    assert alice.said == bob.said


async def test_a_room_first_opened_on_both_at_once_is_one_room(pair: Pair) -> None:
    async def epoch_of(server: Server, room: str) -> str:
        async with member(server, "alice", room) as alice:
            return str(alice.joined["epoch"])

    for room in ("new-1", "new-2", "new-3"):
        epochs = await asyncio.gather(*(epoch_of(server, room) for server in pair))
        assert epochs[0] == epochs[1]


def moderate(server: Server, room: str, person: str, act: str, **fields: object) -> int:
    """Root does something to somebody over HTTP; returns the status."""
    method = "DELETE" if act.startswith("-") else "POST"
    with closing(HTTPConnection("127.0.0.1", server.port)) as connection:
        path = f"/api/chat/{room}/people/{person}/{act.removeprefix('-')}/"
        connection.request(method, path, json.dumps(fields), headers=bearer("root"))
        return connection.getresponse().status


async def test_who_is_muted_and_disconnected_here_learns_of_it_there(pair: Pair) -> None:
    first, second = pair
    async with member(second, "bob", "court") as bob, member(second, "bob", "cafe") as elsewhere, asyncio.timeout(10):
        you = bob.joined["you_id"]
        assert await asyncio.to_thread(moderate, first, "court", you, "mute", seconds=600, reason="Order!") == 201
        told = await bob.next("rights", write=False)
        assert told["message"].endswith("UTC. Reason: Order!")
        assert await asyncio.to_thread(moderate, first, "court", you, "-mute") == 204
        await bob.next("rights", write=True)
        assert await asyncio.to_thread(moderate, first, "court", you, "disconnect") == 200
        assert await closed(bob.socket) == (4503, "a moderator ended your connection")
        await elsewhere.say("still here")
