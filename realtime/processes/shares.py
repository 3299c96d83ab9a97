"""What each process says of who is with it, where the others read it: its share of each group, while its lease lasts.

No row or key per connection: a process that dies is forgotten when its lease ends.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from django.conf import settings
from redis.asyncio import Redis

from realtime.conf import conf

WRITE_SECONDS = 0.5
"""A share is written at most this often."""
READ_SECONDS = 1.0
"""How long the store has to answer; then what was known before has to do."""
LEASE_MILLISECONDS = 20_000

logger = logging.getLogger("chorus.presence")


class Here(NamedTuple):
    """Somebody who is here."""

    key: str
    """Their Identity.key: not for others."""
    name: str
    id: str = ""
    """What others know them by; empty where a process of an earlier version told of them."""


@dataclass(slots=True)
class Share:
    """What one process holds of one group."""

    connections: int = 0
    people: dict[str, Here] = field(default_factory=dict)
    """By identity key."""


class Store(Protocol):
    """Where processes read each other's shares."""

    async def write(self, group: str, share: Share) -> bool:
        """Publish this process's share, an empty one is removed; returns as `renew` does."""

    async def read(self, group: str) -> dict[str, Share]:
        """The shares of the other processes whose lease lives."""

    async def renew(self) -> bool:
        """Renew this process's lease; False if it had ended, so that all shares have to be written again."""


class Shares:
    """This process's shares on their way to the store, and the other processes' as the store has them.

    `tell` lets the others know that a group's share was written. Without a store there is nobody else.
    """

    def __init__(self, store: Store | None, tell: Callable[[str], None]) -> None:
        self.mine: dict[str, Share] = {}
        """By group; presence keeps them as they are now."""
        self._store = store
        self._tell = tell
        self._unwritten: set[str] = set()
        self._writing: dict[str, asyncio.Task[None]] = {}
        self._under_way: dict[str, list[asyncio.Future[None]]] = {}
        """Who waits for the write that is being carried out."""
        self._to_come: dict[str, list[asyncio.Future[None]]] = {}
        """Who waits for a write that has yet to begin."""
        self._draining = False

    @property
    def shared(self) -> bool:
        """Whether there is a store."""
        return self._store is not None

    async def of_others(self, group: str) -> dict[str, Share] | None:
        """The other processes' shares of a group; None where the store does not answer."""
        if self._store is None:
            return {}
        try:
            return await asyncio.wait_for(self._store.read(group), READ_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever Redis does, presence must not stop a socket
            logger.warning("presence not read (%s)", type(error).__name__)
            return None

    def drain(self) -> None:
        """Write nothing any more: what is there lives on until the lease ends."""
        self._draining = True

    async def written(self, group: str) -> None:
        """Wait until this process's share of a group is where others read it; without a store, at once."""
        if self._store is None:
            return
        waiters = self._to_come.setdefault(group, []) if group in self._unwritten else self._under_way.get(group)
        if waiters is not None:
            written = asyncio.get_running_loop().create_future()
            waiters.append(written)
            await asyncio.wait({written}, timeout=READ_SECONDS)

    def write_soon(self, group: str) -> None:
        """Write the share of a group, which has changed."""
        self._unwritten.add(group)
        if self._store is not None and group not in self._writing:
            self._writing[group] = asyncio.create_task(self._write(self._store, group))

    async def renew(self) -> None:
        """Renew the lease; where the store has lost it, and perhaps all else, write all shares."""
        if self._store is not None and not await self._store.renew():
            self._write_all_soon()

    def _write_all_soon(self) -> None:
        for group in self.mine:
            self.write_soon(group)

    async def _write(self, store: Store, group: str) -> None:
        failed = False
        try:
            while group in self._unwritten and not self._draining:
                self._unwritten.discard(group)
                self._under_way[group] = self._to_come.pop(group, [])
                try:
                    # Looked up anew: the group may have ended and begun again meanwhile.
                    if not await store.write(group, self.mine.get(group) or Share()):
                        self._write_all_soon()
                    self._tell(group)
                    for written in self._under_way.pop(group):
                        if not written.done():
                            written.set_result(None)
                except Exception as error:  # noqa: BLE001 - whatever Redis does, presence must not stop a socket
                    self._unwritten.add(group)
                    self._to_come.setdefault(group, []).extend(self._under_way.pop(group, ()))
                    if not failed:
                        logger.warning("presence not written (%s)", type(error).__name__)
                    failed = True
                await asyncio.sleep(WRITE_SECONDS)
        finally:
            del self._writing[group]

    async def close(self) -> None:
        """Stop what runs in the background."""
        tasks = list(self._writing.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class RedisStore:
    """Shares in Redis: a hash for each group, a field for each process; a key with an expiry for each lease.

    Ids have a hash of their own, so that a process of an earlier version can read the other.
    """

    def __init__(self, client: Any, namespace: str, process: str) -> None:
        self._client = client
        self._prefix = f"{namespace}:presence"
        self._process = process
        self._lease = f"{self._prefix}:lease:{process}"

    async def write(self, group: str, share: Share) -> bool:
        """See Store.write."""
        if not share.connections:
            await self._remove(group, self._process)
            return True
        key, ids = self._keys(group)
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.set(self._lease, b"1", px=LEASE_MILLISECONDS, get=True)  # never a share without a lease
            people = share.people.items()
            pipe.hset(key, self._process, json.dumps([share.connections, {key: here.name for key, here in people}]))
            pipe.hset(ids, self._process, json.dumps({key: here.id for key, here in people}))
            before, *_ = await pipe.execute()
        return before is not None

    async def read(self, group: str) -> dict[str, Share]:
        """See Store.read; shares of processes without a lease are removed."""
        async with self._client.pipeline(transaction=True) as pipe:
            for key in self._keys(group):
                pipe.hgetall(key)
            shares, ids = await pipe.execute()
        found: dict[str, bytes] = {process.decode(): value for process, value in shares.items()}
        found.pop(self._process, None)
        alive = await self._alive(found)
        if dead := [process for process in found if process not in alive]:
            await self._remove(group, *dead)
        return {process: _share(found[process], ids.get(process.encode(), b"{}")) for process in alive}

    def _keys(self, group: str) -> tuple[str, str]:
        return f"{self._prefix}:group:{group}", f"{self._prefix}:ids:{group}"

    async def _remove(self, group: str, *processes: str) -> None:
        async with self._client.pipeline(transaction=True) as pipe:
            for key in self._keys(group):
                pipe.hdel(key, *processes)
            await pipe.execute()

    async def _alive(self, processes: Iterable[str]) -> list[str]:
        names = list(processes)
        if not names:
            return []
        leases = await self._client.mget([f"{self._prefix}:lease:{name}" for name in names])
        return [name for name, lease in zip(names, leases, strict=True) if lease is not None]

    async def renew(self) -> bool:
        """See Store.renew."""
        before = await self._client.set(self._lease, b"1", px=LEASE_MILLISECONDS, get=True)
        return before is not None


def _share(raw: bytes, raw_ids: bytes) -> Share:
    connections, names = json.loads(raw)
    ids = json.loads(raw_ids)
    return Share(connections, {key: Here(key, name, ids.get(key, "")) for key, name in names.items()})


def redis_client() -> "Redis | None":
    """A client for what the layer has no words for (leases that expire), where this site has a Redis."""
    url = getattr(settings, "REDIS_URL", "")
    found = "://" in url and not url.startswith("memory:")
    return Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) if found else None


async def shares_of_others(group: str) -> dict[str, Share]:
    """All shares of a group, for a process that has none of its own. Raises what Redis raises."""
    client = redis_client()
    if client is None:
        return {}
    async with client:
        return await RedisStore(client, conf.namespace, "").read(group)
