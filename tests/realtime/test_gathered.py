"""Gathered calls: one for all that waits, and each who asked is told."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from realtime import db
from realtime.gathered import MOST, Gathered
from realtime.testing import until

SECONDS = 5.0


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    yield
    db.close()


class Work:
    """Doubles numbers, a negative one has no value; the first call waits until it is released."""

    def __init__(self, *, held: bool = False) -> None:
        self.calls: list[list[int]] = []
        self.release = threading.Event()
        self.failing: set[int] = set()
        if not held:
            self.release.set()

    def __call__(self, keys: list[int]) -> dict[int, int]:
        self.calls.append(keys)
        assert self.release.wait(SECONDS)
        if self.failing.intersection(keys):
            raise ValueError("no such table")
        return {key: 2 * key for key in keys if key >= 0}


async def behind(work: Work, gathered: Gathered[int, int], keys: list[int]) -> "list[asyncio.Task[int | None]]":
    """Ask for 0, and while that runs for the keys."""
    tasks = [asyncio.create_task(gathered.get(0))]
    await until(lambda: work.calls)
    tasks += [asyncio.create_task(gathered.get(key)) for key in keys]
    await asyncio.sleep(0)
    return tasks


async def test_a_value_is_told() -> None:
    assert await Gathered(Work()).get(21) == 42


async def test_a_key_without_a_value_gives_none() -> None:
    assert await Gathered(Work()).get(-1) is None


async def test_what_is_wanted_while_a_call_runs_goes_into_the_next() -> None:
    work = Work(held=True)
    tasks = await behind(work, Gathered(work), [1, 2, 3])
    work.release.set()
    assert await asyncio.gather(*tasks) == [0, 2, 4, 6]
    assert work.calls == [[0], [1, 2, 3]]


async def test_a_key_that_several_want_is_looked_up_once() -> None:
    work = Work(held=True)
    tasks = await behind(work, Gathered(work), [1, 1, 1])
    work.release.set()
    assert await asyncio.gather(*tasks) == [0, 2, 2, 2]
    assert work.calls == [[0], [1]]


async def test_a_key_is_looked_up_again_for_who_asks_after_the_call_began() -> None:
    work = Work(held=True)
    tasks = await behind(work, Gathered(work), [0])
    work.release.set()
    await asyncio.gather(*tasks)
    assert work.calls == [[0], [0]]


async def test_an_error_is_told_to_all_who_asked() -> None:
    work = Work(held=True)
    work.failing = {0, 1}
    tasks = await behind(work, Gathered(work), [1, 1])
    work.release.set()
    errors = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(error) for error in errors] == [ValueError] * 3


async def test_a_call_after_an_error_works() -> None:
    work = Work()
    work.failing = {0, 1}
    gathered: Gathered[int, int] = Gathered(work)
    with pytest.raises(ValueError, match="no such table"):
        await gathered.get(1)
    work.failing.clear()
    assert await gathered.get(1) == 2


async def test_a_call_that_waits_behind_one_that_fails_works() -> None:
    work = Work(held=True)
    work.failing = {0}
    tasks = await behind(work, Gathered(work), [1])
    work.release.set()
    assert await asyncio.wait_for(tasks[1], SECONDS) == 2
    assert isinstance(tasks[0].exception(), ValueError)


async def test_a_cancelled_caller_does_not_disturb_the_others() -> None:
    work = Work(held=True)
    tasks = await behind(work, Gathered(work), [1, 1, 2])
    tasks[0].cancel()
    tasks[1].cancel()
    await asyncio.wait(tasks[:2])
    work.release.set()
    assert await asyncio.wait_for(asyncio.gather(*tasks[2:]), SECONDS) == [2, 4]


async def test_a_caller_cancelled_before_an_error_is_told_does_not_disturb_the_others() -> None:
    work = Work(held=True)
    work.failing = {0, 1}
    tasks = await behind(work, Gathered(work), [1, 1])
    tasks[1].cancel()
    await asyncio.wait(tasks[1:2])
    work.release.set()
    with pytest.raises(ValueError, match="no such table"):
        await asyncio.wait_for(tasks[2], SECONDS)
    tasks[0].exception()


async def test_more_keys_than_one_call_takes_go_into_several() -> None:
    work = Work(held=True)
    tasks = await behind(work, Gathered(work), list(range(1, 2 * MOST)))
    work.release.set()
    assert await asyncio.wait_for(asyncio.gather(*tasks), SECONDS) == [2 * key for key in range(2 * MOST)]
    assert [len(call) for call in work.calls] == [1, MOST, MOST - 1]


async def test_a_pause_gathers_what_comes_in_it() -> None:
    work = Work()
    gathered: Gathered[int, int] = Gathered(work, pause=0.1)
    for key in range(4):
        gathered.soon(key)
        await asyncio.sleep(0.005 if key else 0.02)
    await until(lambda: len(work.calls) == 2)
    assert work.calls == [[0], [1, 2, 3]]


async def test_an_idle_one_with_a_pause_is_called_at_once() -> None:
    assert await asyncio.wait_for(Gathered(Work(), pause=60.0).get(1), SECONDS) == 2


async def test_what_becomes_of_soon_is_of_no_interest(recwarn: pytest.WarningsRecorder) -> None:
    work = Work()
    work.failing = {0, 1}
    gathered: Gathered[int, int] = Gathered(work)
    gathered.soon(1)
    await until(lambda: work.calls)
    work.failing.clear()
    assert await gathered.get(2) == 4
    assert not recwarn.list


def test_each_event_loop_has_its_own_turn() -> None:
    gathered: Gathered[int, int] = Gathered(Work())
    assert [asyncio.run(gathered.get(key)) for key in range(3)] == [0, 2, 4]


def test_two_event_loops_at_once_are_each_told() -> None:
    work = Work(held=True)
    gathered: Gathered[int, int] = Gathered(work)
    found: dict[int, int | None] = {}

    def ask(key: int) -> None:
        found[key] = asyncio.run(gathered.get(key))

    loops = [threading.Thread(target=ask, args=(key,)) for key in (1, 2)]
    for loop in loops:
        loop.start()
    asyncio.run(until(lambda: len(work.calls) == 2))
    work.release.set()
    for loop in loops:
        loop.join(SECONDS)
    assert found == {1: 2, 2: 4}
