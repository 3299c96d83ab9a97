"""Two servers of one site know people by their ids: guests are called apart, and a rename reaches everybody."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect

from tests.namesakes import cookie, namesakes
from tests.processes import Server
from tests.servers.clients import Member, Site, member
from tests.servers.shell import Shell, shell

Pair = tuple[Server, Server]
SECONDS = 2.0


@pytest.fixture(scope="module")
def beside(site: Site) -> Iterator[Shell]:
    with shell(site.env, site.data_dir) as opened:
        yield opened


@asynccontextmanager
async def guest(server: Server, room: str, key: str) -> AsyncIterator[Member]:
    """A guest with a cookie, as a page of the server opens its socket."""
    headers = {"Cookie": "=".join(cookie(key)), "Origin": server.http}
    async with connect(f"{server.ws}/ws/chat/{room}/", additional_headers=headers) as socket:
        one = Member(socket)
        one.joined = await one.next("joined")
        yield one


async def test_namesakes_who_come_at_once_to_two_servers_are_called_apart(pair: Pair) -> None:
    (first, second), (key, other) = pair, namesakes()
    for number in range(3):
        room = f"twins-{number}"
        async with guest(first, room, key) as one, guest(second, room, other) as two:
            async with asyncio.timeout(SECONDS):
                while len(set((await _users(first, room))["names"])) < 3:
                    pass
            said = [await each.say("Hi") for each in (one, two)]
        assert len({each["sender"] for each in said}) == len({each["sender_id"] for each in said}) == 2


async def test_who_comes_while_a_namesake_is_on_another_server_is_called_otherwise(pair: Pair) -> None:
    (first, second), (key, other) = pair, namesakes()
    async with guest(first, "later", key) as one, guest(first, "later", "somebody") as reader:
        await _until_there(second, "later", 2)
        async with guest(second, "later", other) as two:
            await reader.next("system", event="join", name=two.joined["you"])
            assert two.joined["you"] != one.joined["you"]


async def test_a_guest_has_one_id_and_one_name_on_both(pair: Pair) -> None:
    first, second = pair
    async with guest(first, "tabs", "of-one-guest") as one:
        await _until_there(second, "tabs", 1)
        async with guest(second, "tabs", "of-one-guest") as tab:
            for field in ("you", "you_id"):
                assert one.joined[field] == tab.joined[field]
            assert [each["id"] for each in tab.joined["users"]["people"]] == [one.joined["you_id"]]


async def test_a_rename_reaches_everybody_within_two_seconds(pair: Pair, beside: Shell) -> None:
    first, second = pair
    await beside.run("User.objects.filter(username__startswith='bob').update(username='bob')")
    async with (
        member(first, "bob", "renamed") as bob,
        member(second, "bob", "renamed") as tab,
        member(second, "alice", "renamed") as alice,
    ):
        before = await bob.say("as bob")
        async with asyncio.timeout(SECONDS):
            await beside.run("bob = User.objects.get(username='bob'); bob.username = 'bobby'; bob.save()")
            told = [await each.next("renamed") for each in (bob, tab, alice)]
        said = [await each.say("as bobby") for each in (bob, tab)]
        users = (await _users(first, "renamed"))["names"]
    await beside.run("User.objects.filter(username='bobby').update(username='bob')")
    assert {(event["name"], event["was"], event["sender_id"]) for event in told} == {
        ("bobby", "bob", before["sender_id"])
    }
    assert {(event["sender"], event["sender_id"]) for event in said} == {("bobby", before["sender_id"])}
    assert "bobby" in users
    assert "bob" not in users
    assert [event["type"] for event in alice.heard].count("renamed") == 1


async def _users(server: Server, room: str) -> dict[str, list[str]]:
    async with guest(server, room, "who-looks") as looking:
        found: dict[str, list[str]] = looking.joined["users"]
        return found


async def _until_there(server: Server, room: str, people: int) -> None:
    """Wait until a server has heard of so many people in a room."""
    while True:
        async with guest(server, room, "who-looks") as looking:
            if looking.joined["users"]["count"] == people + 1:
                return
