"""One timer for all: what is due is called once, in time; what was put off or dropped is not."""

import asyncio
from collections.abc import Callable

import pytest

from realtime.server import wheel as module
from realtime.server.wheel import NEVER, Wheel
from realtime.testing import until


class Thing:
    """Something that waits."""

    def __init__(self, then: Callable[[], object] = lambda: None) -> None:
        self.tick = NEVER
        self.calls = 0
        self.then = then

    def on_time(self) -> None:
        """Be called."""
        self.calls += 1
        self.then()


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time goes faster."""
    monkeypatch.setattr(module, "TICK_SECONDS", 0.01)


pytestmark = pytest.mark.usefixtures("ticks")


async def test_what_is_due_is_called_once_and_not_before_its_time() -> None:
    loop = asyncio.get_running_loop()
    wheel, thing, began = Wheel(), Thing(), loop.time()
    wheel.put(thing, 0.1)
    await until(lambda: thing.calls)
    assert loop.time() - began >= 0.1
    await asyncio.sleep(0.1)
    assert (thing.calls, thing.tick) == (1, NEVER)


async def test_what_is_put_off_is_not_called_at_its_first_time() -> None:
    wheel, thing = Wheel(), Thing()
    wheel.put(thing, 0.02)
    wheel.put(thing, 0.2)
    await asyncio.sleep(0.1)
    assert thing.calls == 0
    await until(lambda: thing.calls == 1)


async def test_what_is_dropped_is_not_called_and_not_kept() -> None:
    wheel, thing = Wheel(), Thing()
    wheel.put(thing, 0.02)
    wheel.drop(thing)
    wheel.drop(thing)
    assert not any(wheel._ticks.values())  # noqa: SLF001 - a connection that is gone must not stay in memory
    await asyncio.sleep(0.1)
    assert thing.calls == 0


async def test_what_another_drops_in_the_same_moment_is_not_called() -> None:
    wheel = Wheel()
    things = [Thing(), Thing()]
    things[0].then = lambda: wheel.drop(things[1])
    things[1].then = lambda: wheel.drop(things[0])
    for thing in things:
        wheel.put(thing, 0.02)
    await asyncio.sleep(0.1)
    assert sum(thing.calls for thing in things) == 1


async def test_it_may_be_put_again_when_it_is_called() -> None:
    wheel = Wheel()
    thing = Thing(lambda: wheel.put(thing, 0.01))
    wheel.put(thing, 0.01)
    await until(lambda: thing.calls >= 3)
    wheel.drop(thing)


async def test_one_that_fails_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    wheel, others = Wheel(), [Thing() for _ in range(5)]
    wheel.put(Thing(lambda: 1 / 0), 0.02)
    for other in others:
        wheel.put(other, 0.02)
    await until(lambda: all(other.calls == 1 for other in others))
    wheel.put(others[0], 0.02)
    await until(lambda: others[0].calls == 2)
    assert "ZeroDivisionError" in caplog.text


async def test_how_much_is_left_is_known() -> None:
    wheel, thing = Wheel(), Thing()
    assert wheel.left(thing) is None
    wheel.put(thing, 5)
    left = wheel.left(thing)
    assert left is not None
    assert 4.9 < left < 5.1


async def test_a_wheel_that_has_stood_still_turns_again() -> None:
    wheel, thing = Wheel(), Thing()
    for calls in (1, 2):
        wheel.put(thing, 0.02)
        await until(lambda: thing.calls == calls)  # noqa: B023 - waited for at once
        await asyncio.sleep(0.05)
