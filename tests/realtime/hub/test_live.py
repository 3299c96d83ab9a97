"""One stream as one process sees it: nothing is lost, nothing comes twice, all comes in order."""

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django import Settings

from chat.models import Message, Room
from counter.models import Change, Counter
from realtime import db
from realtime.hub import live, ring
from realtime.hub.hub import current_hub
from realtime.hub.live import FRESH, LiveStream, Start
from realtime.hub.outbox import Burst, Frame
from realtime.hub.subscription import Subscription
from realtime.protocol import CloseCode, Refused
from realtime.streams.batch import PAGE, Batch
from realtime.streams.commit import commit
from realtime.testing import until
from tests.realtime.listening import ALICE, Listener, delete, listen, write

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def room() -> Room:
    return Room.objects.create(name="lobby")


class Reads:
    """The reads of a room's entries: how many, and whether they are let through."""

    def __init__(self) -> None:
        self.count = 0
        self.at_once = 0
        self.most_at_once = 0
        self.failures = 0
        """So many reads fail first."""
        self.started = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = Room.read.__func__  # type: ignore[attr-defined]

        def read(model: type[Room], *args: Any) -> Any:
            self.count += 1
            if self.failures:
                self.failures -= 1
                raise OperationalError("the database restarts")
            self.at_once += 1
            self.most_at_once = max(self.at_once, self.most_at_once)
            snapshot = real(model, *args)
            self.started.set()
            self.go_on.wait(5)
            self.at_once -= 1
            return snapshot

        monkeypatch.setattr(Room, "read", classmethod(read))

    async def paused(self) -> None:
        """Wait until a read has its result, and does not give it yet."""
        await asyncio.to_thread(self.started.wait, 5)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reads]:
    found = Reads()
    found.install(monkeypatch)
    yield found
    found.go_on.set()


# What commits and hints bring.


async def test_the_next_entry_is_delivered(room: Room, reads: Reads) -> None:
    listener = await listen(current_hub(), room)
    listener.stream.offer(await write(room, "hi"))
    assert listener.seqs == [1]
    assert reads.count == 1


async def test_an_older_entry_is_dropped(room: Room) -> None:
    listener = await listen(current_hub(), room)
    first = await write(room, "a")
    listener.stream.offer(first)
    listener.stream.offer(await write(room, "b", "c"))
    listener.stream.offer(first)
    assert listener.seqs == [1, 2, 3]


async def test_a_batch_that_is_partly_known_brings_the_rest(room: Room) -> None:
    listener = await listen(current_hub(), room)
    first, second = await write(room, "a"), await write(room, "b")
    listener.stream.offer(first)
    listener.stream.offer(Batch(room.key, room.epoch, 1, 2, [*first.events, *second.events]))
    assert listener.seqs == [1, 2]


async def test_a_hole_is_filled_from_the_database(room: Room) -> None:
    listener = await listen(current_hub(), room)
    await write(room, "a", "b")
    listener.stream.offer(await write(room, "c"))
    await until(lambda: len(listener.seqs) == 3)
    assert listener.seqs == [1, 2, 3]


async def test_what_the_committing_process_found_fills_a_hole_at_once(room: Room, reads: Reads) -> None:
    listener = await listen(current_hub(), room)
    lost = await write(room, "a")
    batch = await write(room, "b")
    batch.missed = lost.events
    listener.stream.offer(batch)
    assert listener.seqs == [1, 2]
    assert reads.count == 1


async def test_a_hole_larger_than_what_the_committing_process_found_is_filled_too(room: Room) -> None:
    listener = await listen(current_hub(), room)
    lost = [await write(room, *["x"] * PAGE) for _ in range(2)]
    batch = await write(room, "b")
    batch.missed = lost[0].events
    listener.stream.offer(batch)
    await until(lambda: len(listener.seqs) == 2 * PAGE + 1)
    assert listener.seqs == list(range(1, 2 * PAGE + 2))


async def test_a_hint_with_positions_only_is_read_from_the_database(room: Room) -> None:
    listener = await listen(current_hub(), room)
    batch = await write(room, "a", "b")
    listener.stream.offer(Batch(batch.key, batch.epoch, batch.first, batch.last))
    await until(lambda: listener.seqs == [1, 2])


async def test_a_hole_of_many_pages_is_filled_in_order(room: Room) -> None:
    listener = await listen(current_hub(), room)
    for _ in range(3):
        batch = await write(room, *["x"] * PAGE)
    listener.stream.offer(batch)
    await until(lambda: len(listener.seqs) == 3 * PAGE)
    assert listener.seqs == list(range(1, 3 * PAGE + 1))


async def test_holes_that_are_noticed_together_are_one_repair(room: Room, reads: Reads) -> None:
    listener = await listen(current_hub(), room)
    await write(room, "lost")
    reads.go_on.clear()
    for text in "abcde":
        listener.stream.offer(await write(room, text))
    reads.go_on.set()
    await until(lambda: len(listener.seqs) == 6)
    assert listener.seqs == [1, 2, 3, 4, 5, 6]
    assert reads.count <= 3


async def test_a_repair_goes_on_when_the_database_is_back(room: Room, reads: Reads) -> None:
    listener = await listen(current_hub(), room)
    await write(room, "lost")
    reads.failures = 1
    listener.stream.offer(await write(room, "hi"))
    await until(lambda: listener.seqs == [1, 2])


async def test_few_repairs_run_at_the_same_time(reads: Reads, settings: Settings) -> None:
    settings.CHORUS_DB_THREADS = 16
    rooms = [await db.run(Room.objects.create, name=f"room{number}") for number in range(8)]
    listeners = [await listen(current_hub(), room) for room in rooms]
    for room in rooms:
        await write(room, "lost")
    reads.go_on.clear()
    for listener in listeners:
        listener.stream.repair()
    await until(lambda: reads.at_once == live.REPAIRS_AT_ONCE)
    reads.go_on.set()
    await until(lambda: all(listener.seqs == [1] for listener in listeners))
    assert reads.most_at_once == live.REPAIRS_AT_ONCE


async def test_a_repair_that_finds_nothing_changes_nothing(room: Room) -> None:
    listener = await listen(current_hub(), room)
    listener.stream.offer(await write(room, "hi"))
    await asyncio.wait({listener.stream.repair()})
    assert (listener.seqs, listener.resets, listener.subscription.caught_up) == ([1], 0, True)


async def test_entries_that_commit_during_a_repair_reset_nobody(room: Room) -> None:
    """A position check under load finds differences that are none; nobody may lose the stream for that."""
    listener = await listen(current_hub(), room)

    async def check_again_and_again() -> None:
        while len(listener.seqs) < 60:
            await asyncio.wait({listener.stream.repair()})

    checking = asyncio.create_task(check_again_and_again())
    for number in range(60):
        await write(room, str(number))
    await asyncio.wait_for(checking, 5)
    assert listener.seqs == list(range(1, 61))
    assert listener.resets == 0


# When positions lose their meaning.


async def test_another_epoch_resets_everybody(room: Room) -> None:
    listener = await listen(current_hub(), room)
    await db.run(Room.renew_epoch, room.pk, room.epoch)
    batch = await write(room, "hi")
    assert batch.epoch != room.epoch
    listener.stream.offer(batch)
    await until(lambda: listener.resets)
    assert not listener.subscription.caught_up
    start = await listener.go_on()
    assert (start.epoch, start.recovered, listener.seqs) == (batch.epoch, False, [1])


async def test_a_database_that_went_back_gets_a_new_epoch(room: Room) -> None:
    listener = await listen(current_hub(), room)
    listener.stream.offer(await write(room, "a", "b", "c"))
    await db.run(lambda: (Message.objects.filter(seq__gt=1).delete(), Room.objects.update(last_seq=1)))
    await asyncio.wait({listener.stream.repair()})
    assert listener.resets == 1
    start = await listener.go_on()
    assert start.epoch != room.epoch
    assert start.seq == 1


async def test_a_hole_that_was_pruned_resets_everybody(room: Room) -> None:
    listener = await listen(current_hub(), room)
    await write(room, "a", "b", "c")
    await db.run(lambda: (Message.objects.filter(seq__lt=3).delete(), Room.objects.update(first_seq=3)))
    await asyncio.wait({listener.stream.repair()})
    assert listener.resets == 1
    start = await listener.go_on()
    assert (start.seq, [stored.seq for stored in start.events], start.more) == (3, [3], False)


async def test_a_hole_with_nothing_left_in_it_resets_everybody(room: Room) -> None:
    listener = await listen(current_hub(), room)
    await write(room, "a", "b", "c")
    await db.run(lambda: (Message.objects.all().delete(), Room.objects.update(first_seq=4)))
    await asyncio.wait({listener.stream.repair()})
    assert listener.resets == 1
    assert (await listener.go_on()).seq == 3


async def test_a_deleted_room_is_told_to_everybody_in_it(room: Room) -> None:
    listener = await listen(current_hub(), room)
    await db.run(Room.objects.all().delete)
    await asyncio.wait({listener.stream.repair()})
    assert listener.gone == 1


# What was pruned.


async def prune(room: Room, first_seq: int) -> None:
    """Prune as another process does."""

    def work() -> None:
        Room.objects.filter(pk=room.pk).update(first_seq=first_seq)
        Message.objects.filter(seq__lt=first_seq).delete()

    await db.run(work)


async def test_after_the_next_check_nobody_is_shown_what_was_pruned(room: Room) -> None:
    await write(room, *"abcde")
    listener = await listen(current_hub(), room)
    await prune(room, 4)
    await current_hub().check_positions()
    start = await Listener(current_hub(), room).join()
    assert ([stored.seq for stored in start.events], start.more) == ([4, 5], False)
    assert (listener.seqs, listener.resets, listener.subscription.caught_up) == ([1, 2, 3, 4, 5], 0, True)


@pytest.mark.parametrize(("since", "recovered"), [(0, False), (2, False), (3, True), (4, True), (5, True)])
async def test_after_the_next_check_a_pruned_position_is_not_recovered(room: Room, since: int, recovered: bool) -> None:
    await write(room, *"abcde")
    await listen(current_hub(), room)
    await prune(room, 4)
    await current_hub().check_positions()
    start = await Listener(current_hub(), room).join(since, room.epoch)
    assert start.recovered == recovered
    assert [stored.seq for stored in start.events] == list(range(max(since, 3) + 1, 6))


async def test_a_room_that_was_pruned_empty_goes_on(room: Room) -> None:
    await write(room, *"abc")
    listener = await listen(current_hub(), room)
    await prune(room, 4)
    await current_hub().check_positions()
    late = await listen(current_hub(), room)
    assert late.starts[0].events == []
    batch = await write(room, "d")
    for each in (listener, late):
        assert (each.resets, each.subscription.caught_up) == (0, True)
    listener.stream.offer(batch)
    assert (listener.seqs, late.seqs) == ([1, 2, 3, 4], [4])
    assert [stored.seq for stored in (await Listener(current_hub(), room).join()).events] == [4]


async def test_a_check_that_finds_something_pruned_reads_no_entries(room: Room, reads: Reads) -> None:
    await write(room, *"abc")
    await listen(current_hub(), room)
    await prune(room, 3)
    before = reads.count
    await current_hub().check_positions()
    await listen(current_hub(), room)
    assert reads.count == before


async def test_what_was_pruned_makes_room_in_the_ring(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes of what is gone must not count: the ring would hold ever less."""
    wire = len(Frame((await write(room, "a")).events[0].text).wire)
    monkeypatch.setattr(ring, "RING_BYTES", wire * 3)
    listener = await listen(current_hub(), room)
    for text in "bcde":
        listener.stream.offer(await write(room, text))
    await prune(room, 6)
    await current_hub().check_positions()
    for text in "fgh":
        listener.stream.offer(await write(room, text))
    start = await Listener(current_hub(), room).join(5, room.epoch)
    assert (start.recovered, [stored.seq for stored in start.events]) == (True, [6, 7, 8])


# Joining.


async def test_who_joins_at_the_same_moment_shares_one_read(room: Room, reads: Reads) -> None:
    await write(room, "a", "b")
    listeners = [Listener(current_hub(), room) for _ in range(50)]
    await asyncio.gather(*[listener.join() for listener in listeners])
    assert reads.count == 1
    assert all(listener.seqs == [1, 2] for listener in listeners)


async def test_who_joins_later_needs_no_read(room: Room, reads: Reads) -> None:
    await write(room, "a")
    first = await listen(current_hub(), room)
    first.stream.offer(await write(room, "b"))
    second = await listen(current_hub(), room)
    assert (second.seqs, reads.count) == ([1, 2], 1)


async def test_without_a_position_one_gets_the_newest_and_is_told_of_older(room: Room) -> None:
    await write(room, *["x"] * (FRESH + 10))
    start = await Listener(current_hub(), room).join()
    assert [stored.seq for stored in start.events] == list(range(11, FRESH + 11))
    assert (start.seq, start.recovered, start.more) == (FRESH + 10, False, True)


async def test_an_empty_room_begins_at_zero(room: Room) -> None:
    start = await Listener(current_hub(), room).join()
    assert (start.seq, start.events, start.recovered, start.more) == (0, [], False, False)


async def test_a_room_whose_entries_are_all_gone_can_be_joined(room: Room) -> None:
    await write(room, "a", "b")
    await db.run(Message.objects.all().delete)
    start = await asyncio.wait_for(Listener(current_hub(), room).join(), 2)
    assert (start.seq, start.events) == (2, [])


@pytest.mark.parametrize("since", range(6))
async def test_with_a_position_one_gets_exactly_what_followed(room: Room, since: int) -> None:
    await write(room, *"abcde")
    start = await Listener(current_hub(), room).join(since, room.epoch)
    assert start.recovered
    assert [stored.seq for stored in start.events] == list(range(since + 1, 6))


@pytest.mark.parametrize("epoch", [None, "", "another"])
async def test_a_position_of_another_epoch_is_not_recovered(room: Room, epoch: str | None) -> None:
    await write(room, *"abc")
    start = await Listener(current_hub(), room).join(2, epoch)
    assert not start.recovered
    assert [stored.seq for stored in start.events] == [1, 2, 3]


async def test_a_position_older_than_a_page_is_not_recovered(room: Room) -> None:
    await write(room, *["x"] * (PAGE + 5))
    within, beyond = Listener(current_hub(), room), Listener(current_hub(), room)
    assert (await within.join(5, room.epoch)).recovered
    start = await beyond.join(4, room.epoch)
    assert (start.recovered, start.more) == (False, True)


async def test_a_position_that_was_pruned_is_not_recovered(room: Room) -> None:
    await write(room, *"abcde")
    await db.run(lambda: (Message.objects.filter(seq__lt=4).delete(), Room.objects.update(first_seq=4)))
    start = await Listener(current_hub(), room).join(2, room.epoch)
    assert (start.recovered, start.more, [stored.seq for stored in start.events]) == (False, False, [4, 5])
    assert (await Listener(current_hub(), room).join(3, room.epoch)).recovered


async def test_a_position_ahead_of_this_process_is_looked_up(room: Room) -> None:
    behind = await listen(current_hub(), room)
    await write(room, *"abc")
    start = await Listener(current_hub(), room).join(2, room.epoch)
    assert (start.recovered, [stored.seq for stored in start.events]) == (True, [3])
    assert behind.seqs == [1, 2, 3]


async def test_a_position_ahead_of_the_database_is_not_recovered(room: Room) -> None:
    await write(room, "a")
    assert not (await Listener(current_hub(), room).join(10**15, room.epoch)).recovered


async def test_a_position_ahead_waits_no_longer_than_for_the_database(
    room: Room, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    await listen(current_hub(), room)
    monkeypatch.setattr(db, "WAIT_SECONDS", 0.1)
    reads.failures = 1000
    with pytest.raises(db.Unavailable):
        await asyncio.wait_for(Listener(current_hub(), room).join(5, room.epoch), 2)


async def test_a_room_that_is_gone_cannot_be_joined(room: Room) -> None:
    await db.run(Room.objects.all().delete)
    with pytest.raises(Refused) as refused:
        await Listener(current_hub(), room).join()
    assert (refused.value.code, refused.value.close) == ("not_found", CloseCode.NO_SUCH_STREAM)


async def test_a_join_that_the_database_failed_can_be_tried_again(room: Room, reads: Reads) -> None:
    reads.failures = 1
    with pytest.raises(db.Unavailable):
        await Listener(current_hub(), room).join()
    await write(room, "hi")
    assert (await listen(current_hub(), room)).seqs == [1]


@pytest.mark.parametrize("in_snapshot", [True, False])
async def test_what_commits_while_the_first_read_runs_comes_once(room: Room, reads: Reads, in_snapshot: bool) -> None:
    early = await write(room, "a") if in_snapshot else None
    reads.go_on.clear()
    listener = Listener(current_hub(), room)
    joining = asyncio.create_task(listener.join())
    await reads.paused()
    current_hub().committed(early or await write(room, "a"))
    reads.go_on.set()
    await joining
    assert listener.seqs == [1]
    current_hub().committed(await write(room, "b"))
    assert listener.seqs == [1, 2]


async def test_joining_while_many_write_leaves_no_gap_and_no_double(room: Room) -> None:
    here = current_hub()
    listeners: list[Listener] = [await listen(here, room)]
    stream = listeners[0].stream

    async def write_many() -> None:
        for number in range(60):
            batch = await write(room, str(number), str(number))
            if number % 7:  # the others are lost
                stream.offer(batch)

    async def join_many() -> None:
        for _ in range(30):
            listeners.append(await listen(here, room))
            await asyncio.sleep(0.002)

    await asyncio.gather(write_many(), join_many())
    await asyncio.wait({stream.repair()})
    for listener in listeners:
        assert listener.seqs == list(range(listener.seqs[0], 121))
        assert listener.seqs[0] == 1 or listener.starts[0].more


async def test_catching_up_goes_on_until_nothing_is_missing(room: Room) -> None:
    here = current_hub()
    first = await listen(here, room)
    late = Listener(here, room)
    late.stream = await here.stream(room.key, late.subscription)
    start = await late.stream.locate(None, None)
    for text in "abc":
        first.stream.offer(await write(room, text))
    catching_up = late.stream.catch_up(late.subscription, start.seq)
    assert [stored.seq for stored in await anext(catching_up)] == [1, 2, 3]
    first.stream.offer(await write(room, "d"))
    assert [stored.seq for stored in await anext(catching_up)] == [4]
    assert not late.subscription.caught_up
    with pytest.raises(StopAsyncIteration):
        await anext(catching_up)
    first.stream.offer(await write(room, "e"))
    assert late.seqs == [5]


async def test_catching_up_ends_with_a_reset(room: Room) -> None:
    here = current_hub()
    late = Listener(here, room)
    late.stream = await here.stream(room.key, late.subscription)
    start = await late.stream.locate(None, None)
    await db.run(Room.renew_epoch, room.pk, room.epoch)
    await asyncio.wait({late.stream.repair()})
    assert late.resets == 1
    assert [page async for page in late.stream.catch_up(late.subscription, start.seq)] == []
    assert not late.subscription.caught_up


async def test_who_lacks_what_was_pruned_meanwhile_joins_anew(room: Room) -> None:
    here = current_hub()
    late = Listener(here, room)
    late.stream = await here.stream(room.key, late.subscription)
    start = await late.stream.locate(None, None)
    late.stream.offer(await write(room, *["x"] * (PAGE + 1)))
    await db.run(lambda: Message.objects.filter(seq__lt=5).delete())
    assert [page async for page in late.stream.catch_up(late.subscription, start.seq)] == []
    assert (late.resets, late.subscription.caught_up) == (1, False)


# What is kept.


def kept_by(listener: Listener) -> int:
    """How many entries of its stream are in memory."""
    return len(listener.stream._ring.entries)  # noqa: SLF001 - joining shows what is missing, not what is too much


async def test_no_more_than_a_page_is_kept(room: Room) -> None:
    listener = await listen(current_hub(), room)
    for _ in range(3):
        listener.stream.offer(await write(room, *["x"] * 200))
    assert kept_by(listener) == PAGE
    start = await Listener(current_hub(), room).join(600 - PAGE, room.epoch)
    assert (start.recovered, len(start.events)) == (True, PAGE)
    assert not (await Listener(current_hub(), room).join(600 - PAGE - 1, room.epoch)).recovered


async def test_no_more_than_a_megabyte_is_kept(room: Room) -> None:
    listener = await listen(current_hub(), room)
    for _ in range(5):
        listener.stream.offer(await write(room, *["x" * 10_000] * 50))
    assert 90 < kept_by(listener) < ring.RING_BYTES / 10_000
    assert len(listener.seqs) == 250


async def test_copies_of_what_was_deleted_are_read_again(room: Room, reads: Reads) -> None:
    listener = await listen(current_hub(), room)
    listener.stream.offer(await write(room, "secret", "b"))
    listener.stream.offer(await delete(room, 1))
    later = await listen(current_hub(), room)
    assert [event.get("message") for event in later.events] == [None, "b", None]
    assert [event["type"] for event in later.events] == ["chat", "chat", "deleted"]
    assert "secret" not in str(later.events)


async def test_a_deletion_that_is_told_while_copies_are_read_makes_them_read_again(room: Room, reads: Reads) -> None:
    first = await listen(current_hub(), room)
    first.stream.offer(await write(room, "secret"))
    first.stream.offer(await write(room, "b"))
    first.stream.offer(await delete(room, 2))
    reads.started.clear()
    reads.go_on.clear()
    late = Listener(current_hub(), room)
    joining = asyncio.create_task(late.join())
    await reads.paused()
    first.stream.offer(await delete(room, 1))
    reads.go_on.set()
    await joining
    assert "secret" not in str(late.events)
    assert late.seqs == [1, 2, 3, 4]


async def test_who_leaves_last_takes_the_stream_along(room: Room) -> None:
    one, two = await listen(current_hub(), room), await listen(current_hub(), room)
    one.leave()
    assert current_hub().position(room.key) == (room.epoch, 0)
    two.leave()
    two.leave()
    assert current_hub().position(room.key) is None


# Streams of which the newest says it all.


@pytest.fixture
def counter() -> Counter:
    return Counter.objects.create(name="cups")


class Shown:
    """A socket that shows a counter."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        self.versions: list[int] = []
        self.stream: LiveStream
        self.subscription = Subscription(self)

    def offer(self, frame: Frame | Burst) -> bool:
        """Take what comes."""
        self.versions += [json.loads(each.data)["version"] for each in frame.frames]
        return True

    def overflow(self) -> None:
        """Never: there is always room."""

    async def join(self, since: int | None = None, epoch: str | None = None) -> Start:
        """Do what a consumer does to join."""
        self.stream = await current_hub().stream(self.counter.key, self.subscription)
        start = await self.stream.locate(since, epoch)
        async for _ in self.stream.catch_up(self.subscription, start.seq):
            pass
        return start


async def add(counter: Counter, times: int = 1) -> Batch:
    """Count as another process does whose hint is lost; gives what it would have told."""

    def work() -> Batch:
        changes = [Change.of(ALICE, 1, None) for _ in range(times)]
        for change in changes:
            change.stream = counter
        [batch] = commit(Counter, changes).batches
        return batch

    return await db.run(work)


async def test_a_newest_state_needs_nothing_between(counter: Counter) -> None:
    shown = Shown(counter)
    await shown.join()
    await add(counter)
    shown.stream.offer(await add(counter))
    shown.stream.offer(await add(counter, 3))
    assert shown.versions == [2, 5]


async def test_an_older_state_is_dropped(counter: Counter) -> None:
    shown = Shown(counter)
    await shown.join()
    older, newer = await add(counter), await add(counter)
    for batch in (newer, older, newer):
        shown.stream.offer(batch)
    assert shown.versions == [2]


async def test_who_joins_later_gets_the_newest_state_only(counter: Counter) -> None:
    first = Shown(counter)
    await first.join()
    for _ in range(3):
        first.stream.offer(await add(counter))
    start = await Shown(counter).join()
    assert [stored.seq for stored in start.events] == [3]


@pytest.mark.parametrize("since", [0, 1, 2, 3, 99])
async def test_the_newest_state_is_told_whatever_one_has_already(counter: Counter, since: int) -> None:
    await add(counter, 3)
    start = await Shown(counter).join(since, counter.epoch)
    assert [stored.seq for stored in start.events] == [3]


async def test_a_check_takes_no_state_away_from_who_comes_next(counter: Counter) -> None:
    shown, late = Shown(counter), Shown(counter)
    await shown.join()
    await current_hub().check_positions()
    assert [stored.seq for stored in (await late.join()).events] == [0]


async def test_a_state_is_kept_however_many_came_before_it(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring, "RING_BYTES", 200)
    first = Shown(counter)
    await first.join()
    for _ in range(20):
        first.stream.offer(await add(counter))
    start = await Shown(counter).join()
    assert [stored.seq for stored in start.events] == [20]


async def test_what_is_counted_while_the_first_read_runs_keeps_nobody_waiting(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each read would be too old for what was told since, if more came with every read."""
    real = Counter.read.__func__  # type: ignore[attr-defined]
    shown, loop = Shown(counter), asyncio.get_running_loop()

    def read(model: type[Counter], *args: Any) -> Any:
        snapshot = real(model, *args)
        asyncio.run_coroutine_threadsafe(count(), loop).result(5)
        return snapshot

    async def count() -> None:
        for _ in range(2):
            current_hub().committed(await add(counter, 2))

    monkeypatch.setattr(Counter, "read", classmethod(read))
    start = await asyncio.wait_for(shown.join(), 2)
    assert [stored.seq for stored in start.events] == [start.seq]
    assert current_hub().position(counter.key) == (counter.epoch, start.seq) == (counter.epoch, 4)


async def test_a_lost_state_is_found_by_a_repair(counter: Counter) -> None:
    shown = Shown(counter)
    await shown.join()
    await add(counter, 5)
    await asyncio.wait({shown.stream.repair()})
    assert shown.versions == [5]


# From the beginning.


@pytest.mark.parametrize("epoch", [None, "", "another"])
async def test_0_stands_before_all_in_any_epoch(room: Room, epoch: str | None) -> None:
    await write(room, *"abc")
    start = await Listener(current_hub(), room).join(0, epoch)
    assert start.recovered
    assert [stored.seq for stored in start.events] == [1, 2, 3]


async def test_0_is_not_recovered_where_the_first_are_gone(room: Room) -> None:
    await write(room, *["x"] * (PAGE + 1))
    start = await Listener(current_hub(), room).join(0, "another")
    assert (start.recovered, start.events[0].seq) == (False, 2)
