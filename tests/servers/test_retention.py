"""A server keeps its history short by itself, one process of it; and it hears what is done to its history beside it."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator

import pytest

from tests.processes import Server, redis_server, serve
from tests.servers.clients import Member, Site, eventually, member

Pair = tuple[Server, Server]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two servers of a site that prunes each second."""
    with redis_server() as redis:
        env = {"REDIS_URL": redis.url, "CHORUS_PRUNE_INTERVAL": "1"}
        site = Site(env, tmp_path_factory.mktemp("data"), redis)
        with site.serve() as first, site.serve() as second:
            yield first, second


async def do(server: Server, room: str, work: str) -> None:
    """Do something to a room in a shell beside the server."""
    lines = f"from chat.models import Room\nroom = Room.objects.get(name={room!r})\n{work}"
    await asyncio.to_thread(server.manage, "shell", "-c", lines)


async def history(reader: Member) -> list[int]:
    """The positions that can be read."""
    await reader.send("history")
    return [entry["seq"] for entry in (await reader.next("history"))["messages"]]


def prunings(*servers: Server) -> int:
    """How often they say that they have pruned."""
    return sum(len(re.findall(r"\bpruned$", server.log, re.MULTILINE)) for server in servers)


async def pruned_to(seqs: list[int], reader: Member) -> None:
    """Wait until this is what can be read."""
    while await history(reader) != seqs:  # noqa: ASYNC110 - nobody is told
        await asyncio.sleep(0.1)


async def test_servers_prune_by_themselves(pair: Pair) -> None:
    async with member(pair[0], "alice", "hall") as alice, member(pair[1], "bob", "hall") as bob:
        await alice.talk(2)
        await bob.talk(2)
        await do(pair[0], "hall", "room.keep_entries = 1; room.save()")
        await pruned_to([4], bob)
        await bob.say("goes on")
        await alice.until_seq(5)
    assert [event["seq"] for event in alice.said] == [1, 2, 3, 4, 5]


async def test_of_two_servers_one_prunes_at_a_time(pair: Pair) -> None:
    for server in pair:
        async with member(server, "alice", "turns") as alice:
            await alice.say("from now on this server may prune")
    before, started = prunings(*pair), time.monotonic()
    await eventually(lambda: prunings(*pair) >= before + 6)
    assert time.monotonic() - started > 4.5, "each second once, whichever it was"


async def test_a_server_that_is_told_not_to_does_not_prune_and_the_command_does() -> None:
    with serve({"CHORUS_PRUNE_INTERVAL": "0"}) as server:
        async with member(server, "alice", "archive") as alice:
            await alice.talk(3)
            await do(server, "archive", "room.keep_entries = 1; room.save()")
            assert await history(alice) == [1, 2, 3]
            told = await asyncio.to_thread(server.manage, "prune")
            assert told == "Pruned: 2 entries are read no more.\n"
            assert await history(alice) == [3]
        assert prunings(server) == 0


async def reset(server: Server, room: str) -> None:
    await do(server, room, "room.reset_history()")


async def renew(server: Server, _: str) -> None:
    await asyncio.to_thread(server.manage, "renew_epochs")


@pytest.mark.parametrize(("change", "left"), [(reset, []), (renew, [1, 2])])
async def test_what_is_done_beside_servers_is_told_to_the_sockets_of_each(
    change: Callable[[Server, str], object], left: list[int], pair: Pair
) -> None:
    room = f"{change.__name__}-beside"
    async with member(pair[0], "alice", room) as alice, member(pair[1], "bob", room) as bob:
        await alice.talk(2)
        await bob.until_seq(2)
        await change(pair[0], room)  # type: ignore[misc]
        for each in (alice, bob):
            joined = await each.next("joined")
            assert (joined["recovered"], [entry["seq"] for entry in joined["messages"]]) == (False, left)
            assert joined["epoch"] != alice.joined["epoch"]
        said = await bob.say("goes on")
        assert (await alice.hear("goes on"))["seq"] == said["seq"] == 3


async def test_what_is_done_beside_a_server_without_redis_is_found(server: Server) -> None:
    async with member(server, "alice", "alone") as alice:
        await alice.talk(2)
        await reset(server, "alone")
        joined = await alice.next("joined")
        assert (joined["recovered"], joined["messages"]) == (False, [])
        assert (await alice.say("goes on"))["seq"] == 3
