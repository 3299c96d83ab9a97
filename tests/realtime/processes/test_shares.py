"""Shares in Redis: what each process says of who is with it, for as long as it lives."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest
from redis.asyncio import Redis

from realtime.processes import shares as module
from realtime.processes.shares import Here, RedisStore, Share
from tests.processes import RedisServer

GROUP = "chat.room.1"

Stores = Callable[[str], RedisStore]


@pytest.fixture
async def store(redis_site: RedisServer) -> AsyncIterator[Stores]:
    """Makes the stores of several processes."""
    async with Redis.from_url(redis_site.url) as client:
        yield lambda process: RedisStore(client, "test", process)


async def test_a_process_reads_the_shares_of_the_others(store: Stores) -> None:
    await store("one").write(GROUP, Share(2, {"user:1": Here("user:1", "Zoë", "id-Zoë")}))
    await store("two").write(GROUP, Share(1, {"user:2": Here("user:2", "bob", "id-bob")}))
    assert await store("one").read(GROUP) == {"two": Share(1, {"user:2": Here("user:2", "bob", "id-bob")})}
    assert await store("two").read(GROUP) == {"one": Share(2, {"user:1": Here("user:1", "Zoë", "id-Zoë")})}
    assert await store("one").read("another") == {}


async def test_an_empty_share_is_removed(store: Stores) -> None:
    await store("one").write(GROUP, Share(1, {"user:1": Here("user:1", "alice", "id-alice")}))
    await store("one").write(GROUP, Share())
    assert await store("two").read(GROUP) == {}


async def test_a_share_ends_with_its_process_s_lease(store: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEASE_MILLISECONDS", 50)
    await store("one").write(GROUP, Share(1, {"user:1": Here("user:1", "alice", "id-alice")}))
    assert await store("two").read(GROUP)
    await asyncio.sleep(0.1)
    assert await store("two").read(GROUP) == {}
    monkeypatch.undo()
    await store("one").renew()
    assert await store("two").read(GROUP) == {}  # it was removed, not hidden


async def test_renewing_tells_whether_the_lease_had_ended(store: Stores, redis_site: RedisServer) -> None:
    assert not await store("one").renew()
    assert await store("one").renew()
    async with Redis.from_url(redis_site.url) as client:
        await client.flushall()
    assert not await store("one").renew()


async def test_writing_tells_whether_the_lease_had_ended(store: Stores) -> None:
    assert not await store("one").write(GROUP, Share(1, {"user:1": Here("user:1", "alice", "id-alice")}))
    assert await store("one").write("another", Share(1, {"user:1": Here("user:1", "alice", "id-alice")}))


async def test_sites_with_other_namespaces_know_nothing_of_each_other(store: Stores, redis_site: RedisServer) -> None:
    await store("one").write(GROUP, Share(1, {"user:1": Here("user:1", "alice", "id-alice")}))
    async with Redis.from_url(redis_site.url) as client:
        assert await RedisStore(client, "staging", "two").read(GROUP) == {}


async def test_processes_of_an_earlier_version_read_and_are_read(redis_site: RedisServer) -> None:
    async with Redis.from_url(redis_site.url) as client:
        await RedisStore(client, "chorus", "new").write(GROUP, Share(1, {"user:1": Here("user:1", "alice", "id")}))
        written = await client.hget(f"chorus:presence:group:{GROUP}", "new")
        assert json.loads(written or "") == [1, {"user:1": "alice"}]
        await client.set("chorus:presence:lease:old", b"1")
        await client.hset(f"chorus:presence:group:{GROUP}", "old", json.dumps([1, {"user:2": "bob"}]))
        others = await RedisStore(client, "chorus", "new").read(GROUP)
    assert others == {"old": Share(1, {"user:2": Here("user:2", "bob")})}
