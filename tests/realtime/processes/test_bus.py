"""Two processes and a real Redis between them: two hubs here, since a process has one."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from channels.layers import get_channel_layer
from pytest_django import Settings

from chat.models import Room
from config.stores import channel_layer
from realtime.connections.control import CONTROL, Who
from realtime.hub.hub import Hub
from realtime.processes import bus
from realtime.processes.bus import Bus, envelope, gather, layer, supervise
from realtime.processes.notices import Notice
from realtime.streams.key import group_of
from realtime.testing import until
from tests.processes import RedisServer, redis_server
from tests.realtime.hub.ear import Ear
from tests.realtime.layers import RecordingLayer
from tests.realtime.listening import listen, write

GROUP = "chat.broadcast"


@dataclass(frozen=True, slots=True)
class Numbered(Notice):
    """A notice of the tests."""

    tag = "numbered"

    number: int

    @property
    def size(self) -> int:
        return 100


@pytest.fixture
async def hubs(redis_site: RedisServer) -> AsyncIterator[tuple[Hub, Hub]]:
    """Two processes of one site."""
    one, two = Hub(), Hub()
    yield one, two
    await one.close()
    await two.close()


async def ear(hub: Hub, group: str = GROUP) -> Ear:
    made = Ear()
    await hub.join(group, made.subscription)
    return made


# Between processes.


async def test_an_event_reaches_the_other_process_once_and_this_one_once(hubs: tuple[Hub, Hub]) -> None:
    here, there = await ear(hubs[0]), await ear(hubs[1])
    hubs[0].publish(GROUP, "first")
    hubs[0].publish(GROUP, "last")
    await until(lambda: "last" in there.heard)
    hubs[1].publish(GROUP, "an answer")
    await until(lambda: "an answer" in here.heard)
    assert here.heard == there.heard == ["first", "last", "an answer"]


async def test_text_and_binary_arrive_as_they_were_and_in_order(hubs: tuple[Hub, Hub]) -> None:
    there = await ear(hubs[1])
    sent: list[str | bytes] = [str(number) if number % 2 else bytes([number]) for number in range(200)]
    for number, data in enumerate(sent):
        hubs[0].publish(GROUP, data)
        if not number % 20:
            await asyncio.sleep(0)
    await until(lambda: len(there.heard) == 200)
    assert there.heard == sent


async def test_an_event_is_for_everybody_but_one_person_there_too(hubs: tuple[Hub, Hub]) -> None:
    alice, bob = Ear("user:1"), Ear("user:2")
    await hubs[1].join(GROUP, alice.subscription)
    await hubs[1].join(GROUP, bob.subscription)
    hubs[0].publish(GROUP, "typing", but_key="user:1")
    hubs[0].publish(GROUP, "end")
    await until(lambda: "end" in alice.heard)
    assert (alice.heard, bob.heard) == (["end"], ["typing", "end"])


async def test_a_group_that_was_left_is_not_heard(hubs: tuple[Hub, Hub]) -> None:
    left, stays = await ear(hubs[1]), await ear(hubs[1], "chat.relay")
    hubs[1].leave(GROUP, left.subscription)
    hubs[0].publish(GROUP, "not for you")
    hubs[0].publish("chat.relay", "end")
    await until(lambda: stays.heard == ["end"])
    assert left.heard == []


@pytest.mark.parametrize("yields", [0, 1, 3])
async def test_a_group_that_is_left_and_joined_again_is_heard_at_once(
    hubs: tuple[Hub, Hub], yields: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "JOIN_SECONDS", 30)
    first = await ear(hubs[1])
    hubs[1].leave(GROUP, first.subscription)
    for _ in range(yields):
        await asyncio.sleep(0)
    async with asyncio.timeout(2):
        again = await ear(hubs[1])
    hubs[0].publish(GROUP, "hi")
    await until(lambda: again.heard == ["hi"])


@pytest.mark.django_db(transaction=True)
class TestStored:
    """Entries of a room."""

    @pytest.fixture
    def room(self) -> Room:
        return Room.objects.create(name="lobby")

    async def test_a_committed_batch_reaches_the_other_process_without_a_read(
        self, room: Room, hubs: tuple[Hub, Hub], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here, there = await listen(hubs[0], room), await listen(hubs[1], room)
        monkeypatch.setattr(Room, "read", None)
        hubs[0].committed(await write(room, "a", "b"))
        await until(lambda: there.seqs == [1, 2])
        assert here.events == there.events

    async def test_a_batch_too_large_for_a_hint_is_read_there(self, room: Room, hubs: tuple[Hub, Hub]) -> None:
        there = await listen(hubs[1], room)
        hubs[0].committed(await write(room, *["x" * 10_000] * 40))
        await until(lambda: len(there.seqs) == 40)
        assert there.seqs == list(range(1, 41))

    async def test_two_processes_that_write_in_turn_agree(self, room: Room, hubs: tuple[Hub, Hub]) -> None:
        here, there = await listen(hubs[0], room), await listen(hubs[1], room)
        for number in range(40):
            hubs[number % 2].committed(await write(room, str(number)))
        await until(lambda: len(here.seqs) == len(there.seqs) == 40)
        assert here.seqs == there.seqs == list(range(1, 41))

    @pytest.mark.parametrize("item", [{"t": "batch", "v": 2}, {"t": "something new", "x": [1]}])
    async def test_a_format_that_is_unknown_means_read_the_database(
        self, room: Room, hubs: tuple[Hub, Hub], item: dict[str, Any]
    ) -> None:
        there = await listen(hubs[1], room)
        await write(room, "hi")
        group = group_of(room.key)
        await get_channel_layer().group_send(group, envelope("another version", group, [item]))
        await until(lambda: there.seqs == [1])

    async def test_what_cannot_be_understood_at_all_costs_nothing_else(
        self, room: Room, hubs: tuple[Hub, Hub], caplog: pytest.LogCaptureFixture
    ) -> None:
        there = await listen(hubs[1], room)
        group, told = group_of(room.key), get_channel_layer()
        await told.group_send(group, {"type": "something.else"})
        await told.group_send(group, envelope("another version", group, [{"no": "t"}]))
        hubs[0].committed(await write(room, "hi"))
        await until(lambda: there.seqs == [1])
        assert "not understood" in caplog.text


# Without other processes.


async def test_an_in_memory_layer_is_not_told_anything() -> None:
    assert layer() is None
    alone = Bus(lambda _group, _notice: None)
    alone.send(GROUP, Numbered(1))
    await asyncio.wait_for(alone.join(GROUP), 1)
    alone.leave(GROUP)
    await alone.close()


# What fails.


class FlakyLayer(RecordingLayer):
    """Fails `failures` times at anything, then works."""

    failures = 0
    members: ClassVar[list[str]] = []

    @classmethod
    def _fail(cls) -> None:
        if FlakyLayer.failures:
            FlakyLayer.failures -= 1
            raise OSError("Redis is away")

    async def new_channel(self, prefix: str = "specific.") -> str:
        self._fail()
        return await super().new_channel(prefix)

    async def group_add(self, group: str, channel: str) -> None:
        self._fail()
        self.members.append(group)

    async def group_discard(self, group: str, channel: str) -> None:
        self.members.remove(group)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self._fail()
        await super().group_send(group, message)


@pytest.fixture
async def flaky(settings: Settings) -> AsyncIterator[type[FlakyLayer]]:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": f"{__name__}.FlakyLayer"}}
    FlakyLayer.told, FlakyLayer.members, FlakyLayer.failures = [], [], 0
    yield FlakyLayer
    FlakyLayer.failures = 0


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start again what failed without much ado."""
    real = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda seconds: real(min(seconds, 0.01)))


async def test_a_layer_that_cannot_be_told_is_noticed_and_told_again(flaky: type[FlakyLayer], quick: None) -> None:
    tested = Bus(lambda _group, _notice: None)
    await tested.join(GROUP)
    flaky.failures = 1
    tested.send(GROUP, Numbered(1))
    await until(lambda: tested.failing)
    tested.send(GROUP, Numbered(2))
    await until(lambda: not tested.failing)
    assert flaky.told[-1][1]["items"] == [{"t": "numbered", "v": 1, "number": 2}]
    await tested.close()


async def test_a_group_is_joined_as_soon_as_the_layer_is_back(flaky: type[FlakyLayer], quick: None) -> None:
    flaky.failures = 3
    tested = Bus(lambda _group, _notice: None)
    await tested.join(GROUP)
    await tested.join(GROUP)
    assert (flaky.failures, flaky.members) == (0, [GROUP])
    await tested.close()


async def test_the_layer_is_told_which_groups_nobody_here_hears_any_more(flaky: type[FlakyLayer]) -> None:
    tested = Bus(lambda _group, _notice: None)
    await tested.join(GROUP)
    await tested.join("chat.relay")
    tested.leave(GROUP)
    await until(lambda: flaky.members == ["chat.relay"])
    await tested.close()


async def test_a_socket_does_not_wait_for_ever_for_a_layer(
    flaky: type[FlakyLayer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "JOIN_SECONDS", 0.05)
    flaky.failures = 1000
    tested = Bus(lambda _group, _notice: None)
    await asyncio.wait_for(tested.join(GROUP), 1)
    await tested.close()


async def test_what_waits_for_the_layer_is_bounded(flaky: type[FlakyLayer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus, "WAITING_BYTES", 1000)
    tested = Bus(lambda _group, _notice: None)
    for number in range(100):
        tested.send(GROUP, Numbered(number))
    await until(lambda: flaky.told)
    assert 10 <= len(flaky.told[0][1]["items"]) <= 12
    await tested.close()


async def test_work_that_fails_is_started_again_and_logged(quick: None, caplog: pytest.LogCaptureFixture) -> None:
    runs: list[int] = []

    async def work() -> None:
        runs.append(1)
        raise ZeroDivisionError("oh")

    task = asyncio.create_task(supervise("the work", work))
    await until(lambda: len(runs) == 3)
    task.cancel()
    assert "the work stopped (ZeroDivisionError: oh), starts again" in caplog.text


async def test_work_that_fails_waits_longer_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await real(0)

    async def work() -> None:
        raise OSError

    monkeypatch.setattr(asyncio, "sleep", sleep)
    task = asyncio.create_task(supervise("the work", work))
    while len(waits) < 12:
        await real(0)
    task.cancel()
    assert 0.1 < waits[0] < 0.4
    assert all(2.4 < wait < 7.6 for wait in waits[6:12])


async def test_after_a_restart_of_redis_events_cross_again(settings: Settings) -> None:
    with redis_server() as redis:
        settings.REDIS_URL = redis.url
        settings.CHANNEL_LAYERS = {"default": channel_layer(redis.url, "chorus")}
        hubs = Hub(), Hub()
        there = await ear(hubs[1])
        redis.kill()
        hubs[0].publish(GROUP, "into the void")
        await until(lambda: hubs[0].bus.failing)
        await asyncio.to_thread(redis.start)

        async def publish_until_heard() -> None:
            while "back" not in there.heard:
                hubs[0].publish(GROUP, "back")
                await asyncio.sleep(0.1)

        await asyncio.wait_for(publish_until_heard(), 15)
        for hub in hubs:
            await hub.close()
        await get_channel_layer().flush()


# Asking.

WHO = Who(matches={}, text="")


async def test_every_process_answers_but_the_one_that_is_left_out(hubs: tuple[Hub, Hub]) -> None:
    await ear(hubs[0], CONTROL)  # a hub joins in the background: now it has
    await ear(hubs[1], CONTROL)
    assert len(await gather(CONTROL, WHO, 0.3)) == 2
    assert len(await gather(CONTROL, WHO, 0.3, origin=hubs[0].origin)) == 1


async def test_asking_leaves_nothing_behind_on_the_layer(hubs: tuple[Hub, Hub]) -> None:
    await ear(hubs[0], CONTROL)
    await ear(hubs[1], CONTROL)
    inside: Any = get_channel_layer()
    before = _held(inside)
    await gather(CONTROL, WHO, 0.05)
    assert _held(inside) == before


def _held(layer: Any) -> tuple[set[str], set[str]]:
    """The channels and groups of this process."""
    inside = layer._get_layer()  # noqa: SLF001 - nothing public tells what is still held
    return set(inside.channels), set(inside.groups)


async def test_without_a_layer_nobody_is_asked(settings: Settings) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    assert await gather(CONTROL, WHO, 60) == []
