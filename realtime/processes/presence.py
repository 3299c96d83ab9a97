"""Who is here, in all processes: who came and who went, as this process's sockets are told.

A person is here while any socket of theirs is, in any process. To this process each is in one of these states:

    away ──► here ──► leaving ──► away
              ▲          │
              └──────────┘ back within GRACE_SECONDS: nobody is told

    away → here: told at once as having joined. here → leaving: the last socket went, and nothing is said yet.
    leaving → away: told as having left.

What others know of this process's sockets is its share; see realtime.processes.shares.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from realtime.processes import shares, told
from realtime.processes.naming import GuestNames
from realtime.processes.notices import Notice
from realtime.processes.shares import Here, Share, Shares, Store
from realtime.processes.told import NOBODY, PresenceChange, users_of
from realtime.protocol import Users

GRACE_SECONDS = 2.0
"""Who is back within this time never left: a reload shows nothing."""
RENEW_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ShareWritten(Notice):
    """A process has written its share of the group that this is told to."""

    tag = "presence"


class _Group:
    """One group as this process sees it."""

    def __init__(self, mine: Share, on_change: Callable[[PresenceChange], None], every: float) -> None:
        self.mine = mine
        self.on_change = on_change
        self.every = every
        """Changes are told at most once in so many seconds; 0: at once."""
        self.names = GuestNames(mine)
        self.tabs: dict[str, int] = {}
        self.others: dict[str, Share] = {}
        self.shown: dict[str, Here] = {}
        """Who local sockets believe is here."""
        self.users = NOBODY
        """As of the last comparison."""
        self.opening: asyncio.Task[None]
        """Reads the other processes' shares for the first time."""
        self.entering = 0
        """Sockets that have opened the group and not entered yet."""
        self.gone_since: dict[str, float] = {}
        self.settling: asyncio.TimerHandle | None = None

    def merged(self) -> dict[str, Here]:
        people = dict(self.mine.people)
        for share in self.others.values():
            people.update(share.people)
        return people

    def connections(self) -> int:
        return self.mine.connections + sum(share.connections for share in self.others.values())


class Presence:
    """The groups of this process. `tell` lets other processes know that a group's share was written."""

    def __init__(self, store: Store | None, tell: Callable[[str], None]) -> None:
        self._shares = Shares(store, tell)
        self._groups: dict[str, _Group] = {}
        self._draining = False
        self._loop = asyncio.get_running_loop()

    async def open(self, group: str, on_change: Callable[[PresenceChange], None], *, every: float = 0.0) -> None:
        """Begin to follow a group; a local socket does so right before it enters. Told of changes once in `every` s."""
        found = self._groups.get(group)
        if found is None:
            share = self._shares.mine[group] = Share()
            found = self._groups[group] = _Group(share, on_change, every)
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
        found.users = users_of(found.shown, found.connections())

    def enter(self, group: str, key: str, name: str, id: str = "") -> Users:
        """A local socket came; returns who is here now, itself included. A guest may be given another name."""
        found = self._groups[group]
        found.entering -= 1
        found.tabs[key] = found.tabs.get(key, 0) + 1
        found.mine.people[key] = Here(key, found.names.take(key, name), id)
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
            found.names.release(key)
            del found.tabs[key], found.mine.people[key]
        self._changed(group, found)

    def users(self, group: str) -> Users:
        """Who is here, as far as this process knows."""
        found = self._groups.get(group)
        return found.users if found else NOBODY

    def name_of(self, group: str, key: str) -> str | None:
        """What somebody who has a socket here is called in a group."""
        found = self._groups.get(group)
        here = found.mine.people.get(key) if found else None
        return here.name if here else None

    async def name_for(self, group: str, key: str, name: str) -> str:
        """What somebody is called who may have no socket here: a guest who writes over HTTP."""
        found = self._groups.get(group)
        names = found.names if found else GuestNames(Share(), (await self._shares.of_others(group) or {}).values())
        return names.find(key, name)

    def rename(self, group: str, key: str, name: str) -> None:
        """Somebody who has sockets here is called otherwise from now on."""
        found = self._groups.get(group)
        here = found.mine.people.get(key) if found else None
        if found is not None and here is not None and here.name != name:
            found.mine.people[key] = Here(key, found.names.take(key, name), here.id)
            self._changed(group, found)

    def drain(self) -> None:
        """This process is about to stop; its people will be back elsewhere in a moment."""
        self._draining = True
        self._shares.drain()

    def connections(self, group: str) -> int:
        """How many sockets are here, in all processes, as far as this one knows."""
        found = self._groups.get(group)
        return found.connections() if found else 0

    async def count(self, group: str) -> int:
        """How many sockets are here now, in all processes, also where this one has none."""
        found = self._groups.get(group)
        others = await self._shares.of_others(group)
        if others is None:  # what is known will do
            others = found.others if found else {}
        return (found.mine.connections if found else 0) + sum(share.connections for share in others.values())

    async def written(self, group: str) -> None:
        """Wait until this process's share of a group is where others read it; without Redis, at once."""
        await self._shares.written(group)

    async def refresh(self, group: str, *, quietly: bool = False) -> None:
        """Read the other processes' shares again; without an answer the last known ones stay."""
        found = self._groups.get(group)
        if found is None or not self._shares.shared:
            return
        others = await self._shares.of_others(group)
        if others is not None:
            found.others = others
            if found.names.settle(others.values()):
                self._shares.write_soon(group)
        if not quietly and found.opening.done():
            self._compare_soon(group, found)

    async def keep_lease(self) -> None:
        """Renew the lease and look for dead processes, for ever."""
        while self._shares.shared:
            await self._shares.renew()
            for group in list(self._groups):
                await self.refresh(group)
            await asyncio.sleep(RENEW_SECONDS)

    def _changed(self, group: str, found: _Group) -> None:
        self._compare_soon(group, found)
        self._shares.write_soon(group)

    def _compare_soon(self, group: str, found: _Group) -> None:
        # Comparing costs as much as there are people, so a crowd is compared now and then, not at each step.
        every = max(found.every, shares.WRITE_SECONDS) if len(found.shown) > told.NAMES else found.every
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
        before, found.users = found.users, users_of(merged, found.connections())
        shown = found.shown
        joined = [here for key, here in merged.items() if key not in shown]
        renamed = [
            (here, shown[key].name) for key, here in merged.items() if key in shown and shown[key].name != here.name
        ]
        for key in [key for key in found.gone_since if key in merged]:
            del found.gone_since[key]
        for key in found.shown.keys() - merged.keys():
            found.gone_since.setdefault(key, now)
        due = [key for key, since in found.gone_since.items() if now - since >= GRACE_SECONDS - 0.01]
        left = [found.shown.pop(key) for key in due]
        for key in due:
            del found.gone_since[key]
        found.shown.update(merged)
        if found.gone_since:
            self._compare_after(min(found.gone_since.values()) + GRACE_SECONDS - now, group, found)
        if joined or left or found.users.connections != before.connections:
            found.on_change(PresenceChange(joined, left, found.users))
        if renamed:
            found.on_change(PresenceChange([], [], found.users, renamed))
        self._forget_if_unused(group, found)

    def _forget_if_unused(self, group: str, found: _Group) -> None:
        if not (found.mine.connections or found.gone_since or found.entering) and self._groups.get(group) is found:
            del self._groups[group], self._shares.mine[group]

    async def close(self) -> None:
        """Stop what runs in the background."""
        tasks = [found.opening for found in self._groups.values()]
        for task in tasks:
            task.cancel()
        for found in self._groups.values():
            if found.settling is not None:
                found.settling.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._shares.close()
