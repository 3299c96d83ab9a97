"""Who is here: people and not tabs, in all processes, however processes and Redis come and go."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from realtime.hub.hub import Hub
from realtime.processes import presence as module
from realtime.processes import shares
from realtime.processes.presence import Presence
from realtime.processes.shares import Share
from realtime.processes.told import NAMES, PresenceChange
from realtime.testing import until
from tests.anonymous import anonymous
from tests.processes import RedisServer

GROUP = "chat.room.1"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.1)
    monkeypatch.setattr(shares, "WRITE_SECONDS", 0.02)


class Room:
    """What one process's sockets in a group are told."""

    def __init__(self, presence: Presence) -> None:
        self.presence = presence
        self.changes: list[PresenceChange] = []

    async def enter(self, name: str) -> int:
        """A socket of somebody comes; gives how many people it is told of."""
        await self.presence.open(GROUP, self.changes.append)
        return self.presence.enter(GROUP, f"user:{name}", name).count

    def leave(self, name: str) -> None:
        self.presence.leave(GROUP, f"user:{name}")

    @property
    def told(self) -> list[str]:
        """Who came and went, as `+alice` and `-alice`."""
        return [
            sign + name
            for change in self.changes
            for sign, people in (("+", change.joined), ("-", change.left))
            for _, name, _ in people
        ]

    @property
    def names(self) -> list[str]:
        return self.presence.users(GROUP).names or []

    @property
    def followed(self) -> bool:
        return GROUP in self.presence._groups  # noqa: SLF001 - what is forgotten shows nowhere else

    @property
    def connections(self) -> int | None:
        return self.presence.users(GROUP).connections


class Site:
    """Processes that tell each other, and what they keep in common, in this process's memory."""

    def __init__(self) -> None:
        self.shares: dict[str, dict[str, Share]] = {}
        self.leases: set[str] = set()
        self.writes = 0
        self.away = False
        self.readable = asyncio.Event()
        self.readable.set()
        self.rooms: list[Room] = []

    def process(self) -> Room:
        """One more process."""
        room = Room(Presence(SiteStore(self, str(len(self.rooms))), self._tell))
        self.rooms.append(room)
        return room

    def _tell(self, group: str) -> None:
        for room in self.rooms:
            asyncio.get_running_loop().create_task(room.presence.refresh(group))


class SiteStore:
    """One process's access to what the site keeps; see module.Store."""

    def __init__(self, site: Site, process: str) -> None:
        self.site = site
        self.process = process

    async def write(self, group: str, share: Share) -> bool:
        if self.site.away:
            raise OSError("away")
        self.site.writes += 1
        shares = self.site.shares.setdefault(group, {})
        shares.pop(self.process, None)
        if not share.connections:
            return True
        shares[self.process] = Share(share.connections, dict(share.people))
        return await self.renew()

    async def read(self, group: str) -> dict[str, Share]:
        await self.site.readable.wait()
        if self.site.away:
            raise OSError("away")
        shares = self.site.shares.get(group, {})
        return {name: shares[name] for name in shares if name != self.process and name in self.site.leases}

    async def renew(self) -> bool:
        if self.site.away:
            raise OSError("away")
        alive = self.process in self.site.leases
        self.site.leases.add(self.process)
        return alive


@pytest.fixture
async def alone() -> AsyncIterator[Room]:
    """A process without others."""
    room = Room(Presence(None, lambda _group: None))
    yield room
    await room.presence.close()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    yield made
    for room in made.rooms:
        await room.presence.close()


async def grace() -> None:
    """Let the grace pass: what should not be told would be told by now."""
    await asyncio.sleep(0.25)


# One process.


async def test_who_comes_is_counted_and_told(alone: Room) -> None:
    assert await alone.enter("alice") == 1
    assert await alone.enter("bob") == 2
    assert alone.told == ["+alice", "+bob"]
    assert anonymous(alone.changes[-1].users.model_dump()) == {"count": 2, "connections": 2, "names": ["alice", "bob"]}


async def test_names_are_in_the_order_people_expect(alone: Room) -> None:
    for name in ("bob", "Carol", "alice"):
        await alone.enter(name)
    assert alone.names == ["alice", "bob", "Carol"]


async def test_another_tab_is_another_connection_and_no_other_person(alone: Room) -> None:
    await alone.enter("alice")
    assert await alone.enter("alice") == 1
    assert alone.told == ["+alice"]
    assert alone.connections == 2


async def test_who_leaves_is_told_after_the_grace(alone: Room) -> None:
    await alone.enter("alice")
    await alone.enter("bob")
    alone.leave("bob")
    assert alone.told == ["+alice", "+bob"]
    await until(lambda: alone.told == ["+alice", "+bob", "-bob"])
    assert alone.changes[-1].users.count == 1


async def test_who_leaves_with_one_of_two_tabs_is_still_here(alone: Room) -> None:
    await alone.enter("alice")
    await alone.enter("alice")
    alone.leave("alice")
    await grace()
    assert (alone.told, alone.names, alone.connections) == (["+alice"], ["alice"], 1)


async def test_a_reload_shows_nothing(alone: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.5)
    await alone.enter("alice")
    await alone.enter("bob")
    alone.leave("bob")
    await asyncio.sleep(0.02)
    await alone.enter("bob")
    await asyncio.sleep(0.6)
    assert alone.told == ["+alice", "+bob"]


async def test_each_absence_has_a_grace_of_its_own(alone: Room) -> None:
    for name in ("alice", "bob", "carol"):
        await alone.enter(name)
    alone.leave("alice")
    await asyncio.sleep(0.08)
    alone.leave("bob")
    await until(lambda: "-bob" in alone.told)
    assert [len(change.left) for change in alone.changes if change.left] == [1, 1]


async def test_an_empty_group_is_forgotten_and_can_begin_again(alone: Room) -> None:
    await alone.enter("alice")
    alone.leave("alice")
    await until(lambda: "-alice" in alone.told)
    assert alone.presence.users(GROUP).count == 0
    assert not alone.followed
    assert await alone.enter("bob") == 1
    assert alone.told == ["+alice", "-alice", "+bob"]


async def test_a_process_that_stops_tells_of_nobody_leaving(alone: Room) -> None:
    await alone.enter("alice")
    await alone.enter("bob")
    alone.presence.drain()
    alone.leave("bob")
    await grace()
    assert alone.told == ["+alice", "+bob"]


async def test_to_leave_what_one_never_entered_is_harmless(alone: Room) -> None:
    alone.leave("alice")
    assert alone.presence.users(GROUP).count == 0


async def test_of_a_crowd_a_hundred_names_are_told(alone: Room) -> None:
    for number in range(NAMES + 50):
        await alone.enter(f"person{number:03}")
    await until(lambda: alone.presence.users(GROUP).count == NAMES + 50)
    assert len(alone.names) == NAMES


async def test_in_a_crowd_many_changes_are_told_together(alone: Room) -> None:
    for number in range(NAMES + 1):
        await alone.enter(f"person{number:03}")
    alone.changes.clear()
    for number in range(100):
        await alone.enter(f"late{number:03}")
    await until(lambda: len(alone.told) == 100)
    assert len(alone.changes) <= 3


# Several processes.


async def test_who_is_elsewhere_is_here_and_was_never_told_as_coming(site: Site) -> None:
    here, there = site.process(), site.process()
    await there.enter("alice")
    await until(lambda: site.writes)
    assert await here.enter("bob") == 2
    assert (here.told, here.names) == (["+bob"], ["alice", "bob"])


async def test_who_comes_elsewhere_is_told_here(site: Site) -> None:
    here, there = site.process(), site.process()
    await here.enter("alice")
    await there.enter("bob")
    await until(lambda: here.told == ["+alice", "+bob"])
    there.leave("bob")
    await until(lambda: here.told == ["+alice", "+bob", "-bob"])


async def test_a_person_in_two_processes_is_one(site: Site) -> None:
    here, there = site.process(), site.process()
    await here.enter("alice")
    await until(lambda: site.writes)
    await there.enter("alice")
    await until(lambda: here.connections == 2)
    here.leave("alice")
    await grace()
    assert (here.told, there.told) == (["+alice"], [])
    assert there.names == ["alice"]


async def test_a_move_to_another_process_shows_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.5)
    here, there, elsewhere = site.process(), site.process(), site.process()
    await elsewhere.enter("bob")
    await here.enter("alice")
    await until(lambda: "+alice" in elsewhere.told)
    here.leave("alice")
    await asyncio.sleep(0.03)
    await there.enter("alice")
    await asyncio.sleep(0.6)
    assert elsewhere.told == ["+bob", "+alice"]


async def test_a_dead_process_vanishes_with_its_lease(site: Site) -> None:
    here, dead = site.process(), site.process()
    await dead.enter("alice")
    await here.enter("bob")
    await until(lambda: "alice" in here.names)
    await dead.presence.close()
    site.leases.discard("1")
    await here.presence.refresh(GROUP)
    await until(lambda: here.told[-1] == "-alice")
    assert here.names == ["bob"]


async def test_shares_are_written_at_most_so_often_and_the_last_one_always(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "WRITE_SECONDS", 0.1)
    here, there = site.process(), site.process()
    await there.enter("watcher")
    await here.enter("alice")
    for _ in range(20):
        await here.enter("alice")
        await asyncio.sleep(0.005)
    await until(lambda: there.connections == 22)
    assert site.writes <= 8


async def test_a_store_that_is_away_stops_nobody_and_gets_everything_later(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    here, there = site.process(), site.process()
    await there.enter("bob")
    await until(lambda: site.writes)
    site.away = True
    assert await here.enter("alice") == 1
    await until(lambda: "presence not written (OSError)" in caplog.text)
    site.away = False
    await until(lambda: there.names == ["alice", "bob"])


async def test_without_an_answer_the_last_known_people_stay(site: Site) -> None:
    here, there = site.process(), site.process()
    await there.enter("bob")
    await here.enter("alice")
    await until(lambda: here.names == ["alice", "bob"])
    site.away = True
    await here.presence.refresh(GROUP)
    await grace()
    assert here.names == ["alice", "bob"]


async def test_a_store_that_forgot_everything_is_told_again(site: Site) -> None:
    here, there = site.process(), site.process()
    await here.enter("alice")
    await until(lambda: site.shares.get(GROUP))
    site.shares.clear()
    site.leases.clear()
    keeping = asyncio.create_task(here.presence.keep_lease())
    await until(lambda: site.shares.get(GROUP))
    keeping.cancel()
    assert await there.enter("bob") == 2


async def test_a_store_that_forgot_everything_is_told_again_by_the_first_who_writes(site: Site) -> None:
    """Or that write would renew the lease, and nobody would notice that the other groups are gone."""
    here = site.process()
    await here.enter("alice")
    await here.presence.open("another", lambda _change: None)
    here.presence.enter("another", "user:alice", "alice")
    await until(lambda: len(site.shares) == 2)
    await asyncio.sleep(0.1)  # until nothing is left to write
    site.shares.clear()
    site.leases.clear()
    await here.enter("bob")
    await until(lambda: len(site.shares) == 2)


# Coming while others come.


async def test_who_comes_at_the_same_moment_as_the_first_is_told_of_everybody(site: Site) -> None:
    there, here = site.process(), site.process()
    await there.enter("carol")
    await until(lambda: site.writes)
    site.readable.clear()
    coming = [asyncio.create_task(here.enter(name)) for name in ("alice", "bob")]
    await asyncio.sleep(0.01)
    site.readable.set()
    assert sorted(await asyncio.gather(*coming)) == [2, 3]
    assert "carol" not in str(here.told)


async def test_a_group_that_others_write_to_can_be_opened_meanwhile(site: Site) -> None:
    here = site.process()
    site.readable.clear()
    coming = asyncio.create_task(here.enter("alice"))
    await asyncio.sleep(0.01)
    refreshing = asyncio.create_task(here.presence.refresh(GROUP))
    await asyncio.sleep(0.01)
    site.readable.set()
    await asyncio.gather(coming, refreshing)
    assert here.names == ["alice"]


async def test_who_comes_and_goes_while_the_group_is_opened_leaves_no_trace(site: Site) -> None:
    here = site.process()
    site.readable.clear()
    coming = [asyncio.create_task(here.enter(name)) for name in ("alice", "bob")]
    await asyncio.sleep(0.01)
    coming[1].cancel()
    await asyncio.wait({coming[1]})
    site.readable.set()
    if not coming[1].cancelled():
        here.leave("bob")
    await coming[0]
    await grace()
    assert here.names == ["alice"]
    here.leave("alice")
    await until(lambda: not here.followed)


# Connections, told now and then.


async def test_with_an_interval_many_changes_are_told_once_and_the_last_one_always(alone: Room) -> None:
    for name in ("alice", "bob", "bob"):
        await alone.presence.open(GROUP, alone.changes.append, every=0.05)
        alone.presence.enter(GROUP, f"user:{name}", name)
    assert alone.changes == []
    await until(lambda: alone.changes)
    [change] = alone.changes
    assert (change.users.count, change.users.connections) == (2, 3)
    alone.leave("bob")
    await until(lambda: len(alone.changes) == 2)
    assert alone.changes[-1].users.connections == 2


async def test_with_an_interval_changes_are_told_that_far_apart(alone: Room) -> None:
    told: list[float] = []
    clock = asyncio.get_running_loop().time
    for _ in range(30):
        await alone.presence.open(GROUP, lambda _change: told.append(clock()), every=0.1)
        alone.presence.enter(GROUP, "user:alice", "alice")
        await asyncio.sleep(0.01)
    await until(lambda: alone.connections == 30)
    gaps = [later - earlier for earlier, later in pairwise(told)]
    assert len(gaps) >= 2
    assert min(gaps) > 0.09


async def test_another_tab_is_told_as_a_connection_though_nobody_came(alone: Room) -> None:
    await alone.enter("alice")
    await alone.enter("alice")
    assert [(change.joined, change.users.connections) for change in alone.changes[1:]] == [([], 2)]


async def test_connections_are_counted_at_once(alone: Room) -> None:
    await alone.presence.open(GROUP, alone.changes.append, every=10)
    alone.presence.enter(GROUP, "user:alice", "alice")
    assert alone.presence.connections(GROUP) == await alone.presence.count(GROUP) == 1
    assert alone.presence.connections("another") == await alone.presence.count("another") == 0


async def test_connections_of_all_processes_are_counted(site: Site) -> None:
    here, there = site.process(), site.process()
    await there.enter("alice")
    await there.enter("alice")
    await there.presence.written(GROUP)
    await here.enter("bob")
    assert here.presence.connections(GROUP) == 3


async def test_a_process_without_sockets_counts_those_of_the_others(site: Site) -> None:
    here, there = site.process(), site.process()
    for number in range(1, 4):
        await there.enter("alice")
        await there.presence.written(GROUP)
        assert await here.presence.count(GROUP) == number


async def test_without_an_answer_the_last_known_connections_count(site: Site) -> None:
    here, there = site.process(), site.process()
    await there.enter("alice")
    await here.enter("bob")
    await until(lambda: here.connections == 2)
    site.away = True
    assert await here.presence.count(GROUP) == 2


# Waiting until others can read it.


async def test_alone_nothing_has_to_be_waited_for(alone: Room) -> None:
    await alone.enter("alice")
    await asyncio.wait_for(alone.presence.written(GROUP), 0.1)


async def test_a_write_that_is_under_way_is_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a subscriber would be told that it counts before it does."""
    writable, begun, write = asyncio.Event(), asyncio.Event(), SiteStore.write

    async def slowly(store: SiteStore, group: str, share: Share) -> bool:
        begun.set()
        await writable.wait()
        return await write(store, group, share)

    monkeypatch.setattr(SiteStore, "write", slowly)
    here = site.process()
    await here.enter("alice")
    await begun.wait()
    waiting = asyncio.create_task(here.presence.written(GROUP))
    await asyncio.sleep(0.02)
    assert not waiting.done()
    writable.set()
    await waiting
    assert site.shares[GROUP]["0"].connections == 1


async def test_who_comes_while_a_write_is_under_way_waits_for_the_next(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    writable, begun, write = asyncio.Event(), asyncio.Event(), SiteStore.write

    async def slowly(store: SiteStore, group: str, share: Share) -> bool:
        as_it_was = Share(share.connections, dict(share.people))
        begun.set()
        await writable.wait()
        return await write(store, group, as_it_was)

    monkeypatch.setattr(SiteStore, "write", slowly)
    here = site.process()
    await here.enter("alice")
    await begun.wait()
    await here.enter("bob")
    waiting = asyncio.create_task(here.presence.written(GROUP))
    writable.set()
    await waiting
    assert site.shares[GROUP]["0"].connections == 2


async def test_a_write_that_failed_is_waited_for_until_it_succeeds(site: Site) -> None:
    here = site.process()
    site.away = True
    await here.enter("alice")
    waiting = asyncio.create_task(here.presence.written(GROUP))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    site.away = False
    await asyncio.wait_for(waiting, 0.5)
    assert site.shares[GROUP]["0"].connections == 1


async def test_a_store_that_stays_away_keeps_nobody_waiting_for_ever(site: Site) -> None:
    here = site.process()
    site.away = True
    await here.enter("alice")
    await asyncio.wait_for(here.presence.written(GROUP), 2)


# In Redis.


async def test_two_processes_over_redis_agree_on_who_is_here(redis_site: RedisServer) -> None:
    hubs = Hub(), Hub()
    rooms = [Room(hub.presence) for hub in hubs]
    for hub in hubs:
        await hub.bus.join(GROUP)
    await rooms[0].enter("alice")
    await rooms[1].enter("bob")
    await until(lambda: rooms[0].names == rooms[1].names == ["alice", "bob"])
    rooms[1].leave("bob")
    await until(lambda: rooms[0].told == ["+alice", "+bob", "-bob"])
    for hub in hubs:
        await hub.close()


# Names.


async def test_who_is_renamed_is_told_once_with_the_name_before(alone: Room) -> None:
    await alone.enter("alice")
    alone.presence.rename(GROUP, "user:alice", "alicia")
    alone.presence.rename(GROUP, "user:alice", "alicia")
    [(here, was)] = [each for change in alone.changes for each in change.renamed]
    assert (here.name, was, alone.names, alone.told) == ("alicia", "alice", ["alicia"], ["+alice"])


async def test_who_is_renamed_elsewhere_is_told_here(site: Site) -> None:
    here, there = site.process(), site.process()
    await here.enter("bob")
    await there.enter("alice")
    await until(lambda: here.names == ["alice", "bob"])
    there.presence.rename(GROUP, "user:alice", "zoe")
    await until(lambda: here.names == ["bob", "zoe"])
    assert [(now.name, was) for change in here.changes for now, was in change.renamed] == [("zoe", "alice")]


async def test_a_rename_of_somebody_who_is_not_here_is_harmless(alone: Room) -> None:
    alone.presence.rename(GROUP, "user:alice", "alicia")
    await alone.enter("bob")
    alone.presence.rename(GROUP, "user:alice", "alicia")
    assert (alone.names, alone.told) == (["bob"], ["+bob"])


async def test_two_guests_who_come_at_once_in_two_processes_are_called_alike_for_a_moment_only(site: Site) -> None:
    rooms = [site.process(), site.process()]
    for room in rooms:
        await room.presence.open(GROUP, room.changes.append)
    for key, room in zip("ab", rooms, strict=True):
        room.presence.enter(GROUP, f"guest:{key}", "Guest-1111111")
    await until(lambda: all(len(set(room.names)) == 2 for room in rooms))
    assert rooms[0].names == rooms[1].names


async def test_a_name_is_free_that_nobody_has_in_any_process(site: Site) -> None:
    here, there = site.process(), site.process()
    await there.presence.open(GROUP, there.changes.append)
    there.presence.enter(GROUP, "guest:a", "Guest-1111111")
    await until(lambda: site.writes)
    assert await here.presence.name_for(GROUP, "guest:a", "Guest-2222222") == "Guest-1111111"
    assert await here.presence.name_for(GROUP, "guest:b", "Guest-1111111") != "Guest-1111111"
    site.away = True
    assert await here.presence.name_for(GROUP, "guest:b", "Guest-1111111") == "Guest-1111111"
