"""Redis is a hint: without it a message takes longer between processes, and is never lost."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.processes import Server, redis_server
from tests.servers.clients import Site, member, users_in

Pair = tuple[Server, Server]


@pytest.fixture(scope="module")
def sqlite_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A Redis of this module's own, to be killed."""
    with redis_server() as redis:
        yield Site({"REDIS_URL": redis.url}, tmp_path_factory.mktemp("data"), redis)


@pytest.fixture(scope="module")
def pair(sqlite_site: Site) -> Iterator[Pair]:
    """Two servers on it."""
    with sqlite_site.serve() as first, sqlite_site.serve() as second:
        yield first, second


async def test_redis_dies_and_comes_back_and_all_that_was_acknowledged_arrives_in_order(
    sqlite_site: Site, pair: Pair
) -> None:
    redis = sqlite_site.redis
    async with member(pair[0], "alice", "storm") as alice, member(pair[1], "bob", "storm") as bob:
        both = (alice, bob)

        async def talk(count: int) -> list[int]:
            seqs = await asyncio.gather(*(one.talk(count) for one in both))
            return [seq for each in seqs for seq in each]

        acknowledged = await talk(10)
        redis.kill()
        acknowledged += await talk(20)
        redis.start()
        acknowledged += await talk(10)
        assert sorted(acknowledged) == list(range(1, 81))
        await asyncio.gather(*(one.until_seq(80) for one in both))
    for one in both:
        assert [event["seq"] for event in one.said] == list(range(1, 81))
    assert alice.said == bob.said


async def test_a_lost_hint_costs_a_moment_and_no_message(sqlite_site: Site, pair: Pair) -> None:
    async with member(pair[0], "alice", "silence") as alice, member(pair[1], "bob", "silence") as bob:
        sqlite_site.redis.kill()
        try:
            said = await alice.say("nobody is told of this")
            assert await bob.hear("nobody is told of this") == said
        finally:
            sqlite_site.redis.start()


async def test_sockets_open_while_redis_is_down(sqlite_site: Site, pair: Pair) -> None:
    sqlite_site.redis.kill()
    try:
        async with member(pair[0], "alice", "candles") as alice:
            await alice.say("is anybody there?")
    finally:
        sqlite_site.redis.start()


async def test_presence_is_whole_again_after_redis_forgot_everything(sqlite_site: Site, pair: Pair) -> None:
    async with member(pair[0], "alice", "amnesia"), member(pair[1], "bob", "amnesia") as bob:
        for server in pair:
            await users_in(server, "amnesia", "alice", "bob")
        sqlite_site.redis.kill()
        sqlite_site.redis.start()
        async with member(pair[0], "root", "amnesia"):
            await bob.next("system", message="root joined the chat")
        for server in pair:
            await users_in(server, "amnesia", "alice", "bob")
    assert "alice left the chat" not in {event.get("message") for event in bob.heard}


async def test_a_message_from_a_shell_reaches_the_sockets_of_a_server_without_redis(server: Server) -> None:
    post = """
from chat.models import Room
from realtime.access import Identity
Room.objects.get(name="shell").post(Identity.of_guest(), "from a shell")
"""
    async with member(server, "alice", "shell") as alice:
        await asyncio.to_thread(server.manage, "shell", "-c", post)
        await alice.hear("from a shell")
