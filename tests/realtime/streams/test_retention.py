"""When what is past its time goes: all of it, by one process of a server, once in a while."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError
from pytest_django import Settings

from chat.models import Message, Room
from counter.models import Counter
from notifications.models import Topic
from realtime import db
from realtime.access import Identity
from realtime.hub.hub import close_hub
from realtime.hub.journal import close_journal
from realtime.processes.bus import supervise
from realtime.streams import history, retention
from realtime.streams.kinds import all_streams
from realtime.streams.retention import CLAIM, prune, prune_now_and_then
from realtime.testing import connect, until

pytestmark = pytest.mark.django_db
ALICE = Identity("user:1", "alice")


def talkative(name: str) -> Room:
    """A room with three messages, two of them too many."""
    room = Room.objects.create(name=name, keep_entries=1)
    for text in "abc":
        room.post(ALICE, text)
    return room


# All of it.


def test_every_room_topic_and_counter_is_a_stream() -> None:
    for model in (Room, Topic, Counter):
        model.objects.create(name="one")
    assert {type(stream) for stream in all_streams()} == {Room, Topic, Counter}


def test_pruning_goes_on_until_nothing_is_left(lobby: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "PRUNED_AT_ONCE", 1)
    room = talkative("hall")
    prune(Room.objects.get(pk=room.pk))
    assert [message.text for message in Message.objects.all()] == ["c"]


# Once in a while.


@pytest.fixture(autouse=True)
def _unclaimed() -> Iterator[None]:
    cache.delete(CLAIM)
    yield
    cache.delete(CLAIM)


@pytest.fixture
def often(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that prunes once a minute, whose processes look a hundred times a second whether it is on them."""
    settings.CHORUS_PRUNE_INTERVAL = 60
    monkeypatch.setattr(retention, "LOOKS", 6000)


@asynccontextmanager
async def processes(count: int) -> AsyncIterator[None]:
    """As many processes of one site, as far as pruning is concerned."""
    work = partial(supervise, "pruning", prune_now_and_then)
    tasks = [asyncio.create_task(work()) for _ in range(count)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def prunings(caplog: pytest.LogCaptureFixture) -> int:
    """How often all streams were pruned."""
    return sum(record.name == "chorus.retention" and record.msg == "pruned" for record in caplog.records)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What is logged, also what is of no concern."""
    caplog.set_level(logging.INFO, "chorus.retention")
    return caplog


@pytest.mark.django_db(transaction=True)
async def test_a_process_prunes_all_streams_to_the_end(
    often: None, told: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PRUNED_AT_ONCE", 1)
    for name in ("one", "two"):
        await db.run(talkative, name)
    async with processes(1):
        await until(lambda: prunings(told))
    assert await db.run(Message.objects.count) == 2


@pytest.mark.django_db(transaction=True)
async def test_of_many_processes_one_prunes(
    often: None, told: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    real = cache.add

    def counted(*args: Any, **kwargs: Any) -> bool:
        nonlocal looks
        looks += 1
        return bool(real(*args, **kwargs))

    monkeypatch.setattr(cache, "add", counted)
    async with processes(3):
        await until(lambda: looks > 12)
        await until(lambda: prunings(told))
    assert prunings(told) == 1


@pytest.mark.django_db(transaction=True)
async def test_when_the_time_is_over_one_prunes_again(
    told: pytest.LogCaptureFixture, settings: Settings, often: None
) -> None:
    settings.CHORUS_PRUNE_INTERVAL = 0.1
    async with processes(1):
        await until(lambda: prunings(told) == 3)


@pytest.mark.django_db(transaction=True)
async def test_with_0_a_process_never_prunes(settings: Settings, told: pytest.LogCaptureFixture) -> None:
    settings.CHORUS_PRUNE_INTERVAL = 0
    await asyncio.wait_for(prune_now_and_then(), 1)
    assert prunings(told) == 0


@pytest.mark.django_db(transaction=True)
async def test_pruning_waits_for_a_database_that_does_not_answer(
    often: None, told: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.CHORUS_PRUNE_INTERVAL = 0.1
    await db.run(talkative, "one")
    real, failures = Room.prune_step, iter([OperationalError("it restarts")])

    def step(room: Room) -> bool:
        for failure in failures:
            raise failure
        return real(room)

    monkeypatch.setattr(Room, "prune_step", step)
    async with processes(1):
        await until(lambda: prunings(told))
    assert await db.run(Message.objects.count) == 1


@pytest.mark.django_db(transaction=True)
async def test_a_room_that_is_deleted_while_rooms_are_pruned_is_passed_over(
    often: None, told: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms = [await db.run(talkative, name) for name in ("one", "two", "three")]
    real = Room.prune_step

    def step(room: Room) -> bool:
        Room.objects.filter(pk=rooms[1].pk).delete()
        return real(room)

    monkeypatch.setattr(Room, "prune_step", step)
    async with processes(1):
        await until(lambda: prunings(told))
    assert await db.run(Message.objects.count) == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("interval", "pruned"), [(0.1, True), (0, False)])
async def test_a_process_that_stores_what_sockets_say_prunes(
    interval: float, pruned: bool, lobby: Room, settings: Settings, told: pytest.LogCaptureFixture
) -> None:
    settings.CHORUS_PRUNE_INTERVAL = interval
    async with connect("/ws/chat/lobby/") as socket:
        await socket.command("send", text="Hi")
        await socket.next("chat")
        if pruned:
            await until(lambda: prunings(told))
        else:
            await asyncio.sleep(0.2)
    await close_hub()
    await close_journal()
    assert bool(prunings(told)) == pruned


# What apps have beside streams.


def test_a_step_is_called_until_it_is_through_and_registered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    left = [True, True, False]
    monkeypatch.setattr(retention, "steps", [])

    def step() -> bool:
        return left.pop(0)

    assert retention.also(retention.also(step)) is step
    retention.prune_dead()
    assert left == []


def test_rows_are_deleted_a_few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PRUNED_AT_ONCE", 2)
    for name in "abc":
        Room.objects.create(name=name)
    assert [retention.delete_some(Room.objects.all()) for _ in range(2)] == [True, False]
    assert not Room.objects.exists()


@pytest.mark.django_db(transaction=True)
async def test_the_server_prunes_them_too(often: None, monkeypatch: pytest.MonkeyPatch) -> None:
    called = asyncio.Event()
    loop = asyncio.get_running_loop()

    def step() -> bool:
        loop.call_soon_threadsafe(called.set)
        return False

    monkeypatch.setattr(retention, "steps", [step])
    async with processes(1):
        await asyncio.wait_for(called.wait(), 5)
