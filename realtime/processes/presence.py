"""Who is here, in all processes. Each process writes only its own share; a share lives as long as its lease.

No row or key per connection: a process that dies is forgotten when its lease ends.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from realtime.protocol import Users

GRACE_SECONDS = 2.0
"""Who is back within this time never left: a reload shows nothing."""
WRITE_SECONDS = 0.5
"""A share is written at most this often."""
LEASE_MILLISECONDS = 20_000
RENEW_SECONDS = 5.0
NAMES = 100
"""Above this many people events carry the count only."""

logger = logging.getLogger("chorus.presence")


@dataclass(slots=True)
class Share:
    """What one process holds of one group."""

    connections: int = 0
    people: dict[str, str] = field(default_factory=dict)
    """Names by identity key."""


@dataclass(frozen=True, slots=True)
class Change:
    """Who came and who went, as (identity key, name); one entry for a person, not for each tab."""

    joined: list[tuple[str, str]]
    left: list[tuple[str, str]]
    users: Users


class Store(Protocol):
    """Where processes read each other's shares."""

    async def write(self, group: str, share: Share) -> bool:
        """Publish this process's share, an empty one is removed; returns as `renew` does."""

    async def read(self, group: str) -> dict[str, Share]:
        """The shares of the other processes whose lease lives."""

    async def renew(self) -> bool:
        """Renew this process's lease; False if it had ended, so that all shares have to be written again."""


class _Group:
    """One group as this process sees it."""

    def __init__(self, on_change: Callable[[Change], None], every: float) -> None:
        self.on_change = on_change
        self.every = every
        """Changes are told at most once in so many seconds; 0: at once."""
        self.mine = Share()
        self.tabs: dict[str, int] = {}
        self.others: dict[str, Share] = {}
        self.shown: dict[str, str] = {}
        """Who local sockets believe is here."""
        self.users = Users(count=0, connections=0, names=[])
        """As of the last comparison."""
        self.opening: asyncio.Task[None]
        """Reads the other processes' shares for the first time."""
        self.entering = 0
        """Sockets that have opened the group and not entered yet."""
        self.gone_since: dict[str, float] = {}
        self.settling: asyncio.TimerHandle | None = None

    def merged(self) -> dict[str, str]:
        people = dict(self.mine.people)
        for share in self.others.values():
            people.update(share.people)
        return people

    def connections(self) -> int:
        return self.mine.connections + sum(share.connections for share in self.others.values())

    def count(self, merged: dict[str, str]) -> Users:
        names = sorted(merged.values(), key=str.lower)[:NAMES]
        return Users(count=len(merged), connections=self.connections(), names=names)


class Presence:
    """The groups of this process. `tell` lets other processes know that a group's share was written."""

    def __init__(self, store: Store | None, tell: Callable[[str], None]) -> None:
        self._store = store
        self._tell = tell
        self._groups: dict[str, _Group] = {}
        self._unwritten: set[str] = set()
        self._writing: dict[str, asyncio.Task[None]] = {}
        self._under_way: dict[str, list[asyncio.Future[None]]] = {}
        """Who waits for the write that is being carried out."""
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        """Who waits for a write that has yet to begin."""
        self._draining = False
        self._loop = asyncio.get_running_loop()

    async def open(self, group: str, on_change: Callable[[Change], None], *, every: float = 0.0) -> None:
        """Begin to follow a group; a local socket does so right before it enters. Told of changes once in `every` s."""
        found = self._groups.get(group)
        if found is None:
            found = self._groups[group] = _Group(on_change, every)
            found.opening = asyncio.create_task(self._open(group, found))
        found.entering += 1
        try:
            await asyncio.shield(found.opening)  # whoever comes meanwhile waits for the same reading
        except BaseException:
            found.entering -= 1
            self._forget_if_unused(group, found)
            raise

    async def _open(self, group: str, found: _Group) -> None:
        await self.refresh(group, quietly=True)
        found.shown = found.merged()
        found.users = found.count(found.shown)

    def enter(self, group: str, key: str, name: str) -> Users:
        """A local socket came; returns who is here now, itself included."""
        found = self._groups[group]
        found.entering -= 1
        found.tabs[key] = found.tabs.get(key, 0) + 1
        found.mine.people[key] = name
        found.mine.connections += 1
        self._changed(group, found)
        return found.users

    def leave(self, group: str, key: str) -> None:
        """A local socket went. While draining nothing is said: the share lives on until the lease ends."""
        found = self._groups.get(group)
        if found is None or self._draining:
            return
        found.mine.connections -= 1
        found.tabs[key] -= 1
        if not found.tabs[key]:
            del found.tabs[key], found.mine.people[key]
        self._changed(group, found)

    def users(self, group: str) -> Users:
        """Who is here, as far as this process knows."""
        found = self._groups.get(group)
        return found.users if found else Users(count=0, connections=0, names=[])

    def drain(self) -> None:
        """This process is about to stop; its people will be back elsewhere in a moment."""
        self._draining = True

    def connections(self, group: str) -> int:
        """How many sockets are here, in all processes, as far as this one knows."""
        found = self._groups.get(group)
        return found.connections() if found else 0

    async def count(self, group: str) -> int:
        """How many sockets are here now, in all processes, also where this one has none."""
        found = self._groups.get(group)
        mine = found.mine.connections if found else 0
        if self._store is None:
            return mine
        try:
            others = await asyncio.wait_for(self._store.read(group), 1.0)
        except Exception as error:  # noqa: BLE001 - whatever Redis does, what is known will do
            logger.warning("presence not read (%s)", type(error).__name__)
            others = found.others if found else {}
        return mine + sum(share.connections for share in others.values())

    async def written(self, group: str) -> None:
        """Wait until this process's share of a group is where others read it; without Redis, at once."""
        if self._store is None:
            return
        waiting = self._waiting.setdefault(group, []) if group in self._unwritten else self._under_way.get(group)
        if waiting is not None:
            written = self._loop.create_future()
            waiting.append(written)
            await asyncio.wait({written}, timeout=1.0)

    async def refresh(self, group: str, *, quietly: bool = False) -> None:
        """Read the other processes' shares again; without an answer the last known ones stay."""
        found = self._groups.get(group)
        if found is None or self._store is None:
            return
        try:
            found.others = await asyncio.wait_for(self._store.read(group), 1.0)
        except Exception as error:  # noqa: BLE001 - whatever Redis does, presence must not stop a socket
            logger.warning("presence not read (%s)", type(error).__name__)
        if not quietly and found.opening.done():
            self._compare_soon(group, found)

    async def keep_lease(self) -> None:
        """Renew the lease and look for dead processes, for ever."""
        while self._store is not None:
            if not await self._store.renew():
                self._write_all_soon()
            for group in list(self._groups):
                await self.refresh(group)
            await asyncio.sleep(RENEW_SECONDS)

    def _changed(self, group: str, found: _Group) -> None:
        self._compare_soon(group, found)
        self._write_soon(group)

    def _compare_soon(self, group: str, found: _Group) -> None:
        # Comparing costs as much as there are people, so a crowd is compared now and then, not at each step.
        every = max(found.every, WRITE_SECONDS) if len(found.shown) > NAMES else found.every
        if every:
            self._compare_after(every, group, found)
        else:
            self._compare(group, found)

    def _compare_after(self, seconds: float, group: str, found: _Group) -> None:
        if found.settling is None or found.settling.when() > self._loop.time() + seconds:
            if found.settling is not None:
                found.settling.cancel()
            found.settling = self._loop.call_later(seconds, self._compare, group, found)

    def _compare(self, group: str, found: _Group) -> None:
        """Tell local sockets what changed: who came at once, who went after the grace."""
        if found.settling is not None:
            found.settling.cancel()
            found.settling = None
        now = self._loop.time()
        merged = found.merged()
        before, found.users = found.users, found.count(merged)
        joined = [(key, name) for key, name in merged.items() if key not in found.shown]
        for key in [key for key in found.gone_since if key in merged]:
            del found.gone_since[key]
        for key in found.shown.keys() - merged.keys():
            found.gone_since.setdefault(key, now)
        due = [key for key, since in found.gone_since.items() if now - since >= GRACE_SECONDS - 0.01]
        left = [(key, found.shown.pop(key)) for key in due]
        for key in due:
            del found.gone_since[key]
        found.shown.update(joined)
        if found.gone_since:
            self._compare_after(min(found.gone_since.values()) + GRACE_SECONDS - now, group, found)
        if joined or left or found.users.connections != before.connections:
            found.on_change(Change(joined, left, found.users))
        self._forget_if_unused(group, found)

    def _forget_if_unused(self, group: str, found: _Group) -> None:
        if not (found.mine.connections or found.gone_since or found.entering) and self._groups.get(group) is found:
            del self._groups[group]

    def _write_soon(self, group: str) -> None:
        self._unwritten.add(group)
        if self._store is not None and group not in self._writing:
            self._writing[group] = asyncio.create_task(self._write(self._store, group))

    def _write_all_soon(self) -> None:
        """The store has lost this process's lease, and perhaps all else."""
        for group in self._groups:
            self._write_soon(group)

    async def _write(self, store: Store, group: str) -> None:
        failed = False
        try:
            while group in self._unwritten and not self._draining:
                self._unwritten.discard(group)
                # The share is looked up anew: the group may have ended and begun again meanwhile.
                share = self._groups[group].mine if group in self._groups else Share()
                self._under_way[group] = self._waiting.pop(group, [])
                try:
                    if not await store.write(group, share):
                        self._write_all_soon()
                    self._tell(group)
                    for written in self._under_way.pop(group):
                        if not written.done():
                            written.set_result(None)
                except Exception as error:  # noqa: BLE001 - whatever Redis does, presence must not stop a socket
                    self._unwritten.add(group)
                    self._waiting.setdefault(group, []).extend(self._under_way.pop(group, ()))
                    if not failed:
                        logger.warning("presence not written (%s)", type(error).__name__)
                    failed = True
                await asyncio.sleep(WRITE_SECONDS)
        finally:
            del self._writing[group]

    async def close(self) -> None:
        """Stop what runs in the background."""
        tasks = [*self._writing.values(), *[found.opening for found in self._groups.values()]]
        for task in tasks:
            task.cancel()
        for found in self._groups.values():
            if found.settling is not None:
                found.settling.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class RedisStore:
    """Shares in Redis: a hash for each group, a field for each process; a key with an expiry for each lease."""

    def __init__(self, client: Any, namespace: str, process: str) -> None:
        self._client = client
        self._prefix = f"{namespace}:presence"
        self._process = process
        self._lease = f"{self._prefix}:lease:{process}"

    async def write(self, group: str, share: Share) -> bool:
        """See Store.write."""
        key = f"{self._prefix}:group:{group}"
        if not share.connections:
            await self._client.hdel(key, self._process)
            return True
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.set(self._lease, b"1", px=LEASE_MILLISECONDS, get=True)  # never a share without a lease
            pipe.hset(key, self._process, json.dumps([share.connections, share.people]))
            before, _ = await pipe.execute()
        return before is not None

    async def read(self, group: str) -> dict[str, Share]:
        """See Store.read; shares of processes without a lease are removed."""
        key = f"{self._prefix}:group:{group}"
        raw: dict[bytes, bytes] = await self._client.hgetall(key)
        found = {process.decode(): value for process, value in raw.items()}
        found.pop(self._process, None)
        alive = await self._alive(found)
        if dead := [process for process in found if process not in alive]:
            await self._client.hdel(key, *dead)
        return {process: Share(*json.loads(found[process])) for process in alive}

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
