"""An inbox and a gate: nothing is lost, nobody is forgotten, nothing is kept."""

import asyncio
import weakref

from realtime.server.waiting import KEPT, Gate, Inbox

SECONDS = 5.0


def inbox() -> Inbox:
    return Inbox(asyncio.get_running_loop())


def gate() -> Gate:
    return Gate(asyncio.get_running_loop())


async def waiting(task: "asyncio.Task[object]") -> bool:
    """Tell whether a task that was just made still waits after its first steps."""
    done, _ = await asyncio.wait({task}, timeout=0.02)
    return not done


async def test_items_come_in_order() -> None:
    box = inbox()
    for number in range(3 * KEPT):
        box.put_nowait(number)
    assert [await box.get() for _ in range(3 * KEPT)] == list(range(3 * KEPT))


async def test_order_is_kept_where_putting_and_taking_alternate() -> None:
    box, taken = inbox(), []
    for number in range(0, 6 * KEPT, 2):
        box.put_nowait(number)
        box.put_nowait(number + 1)
        taken.append(await box.get())
    assert taken == list(range(3 * KEPT))


async def test_get_waits_for_an_item() -> None:
    box = inbox()
    getting = asyncio.create_task(box.get())
    assert await waiting(getting)
    box.put_nowait("late")
    assert await asyncio.wait_for(getting, SECONDS) == "late"


async def test_a_cancelled_get_takes_nothing() -> None:
    box = inbox()
    getting = asyncio.create_task(box.get())
    assert await waiting(getting)
    box.put_nowait("kept")  # its reader is to wake up, and is cancelled before it does
    getting.cancel()
    await asyncio.wait({getting})
    assert getting.cancelled()
    assert await asyncio.wait_for(box.get(), SECONDS) == "kept"


async def test_an_item_after_a_cancelled_get_is_there_for_the_next() -> None:
    box = inbox()
    getting = asyncio.create_task(box.get())
    assert await waiting(getting)
    getting.cancel()
    await asyncio.wait({getting})
    box.put_nowait("next")
    assert await asyncio.wait_for(box.get(), SECONDS) == "next"


async def test_the_size_is_what_is_left_to_take() -> None:
    box = inbox()
    for number in range(3):
        box.put_nowait(number)
    await box.get()
    assert box.qsize() == 2


async def test_an_inbox_is_empty_once_all_is_taken() -> None:
    box = inbox()
    box.put_nowait(1)
    full = box.empty()
    await box.get()
    assert (full, box.empty()) == (False, True)


async def test_what_was_taken_is_let_go_by_a_reader_that_is_never_done() -> None:
    class Item: ...

    box, seen = inbox(), []
    box.put_nowait(Item())
    for _ in range(4 * KEPT):
        box.put_nowait(Item())
        seen.append(weakref.ref(await box.get()))
    assert sum(item() is not None for item in seen) <= KEPT


async def test_an_open_gate_lets_through_at_once() -> None:
    await asyncio.wait_for(gate().wait(), SECONDS)


async def test_a_shut_gate_holds() -> None:
    shut = gate()
    shut.clear()
    task = asyncio.create_task(shut.wait())
    assert await waiting(task)
    task.cancel()


async def test_all_who_wait_are_let_through() -> None:
    shut = gate()
    shut.clear()
    tasks = [asyncio.create_task(shut.wait()) for _ in range(3)]
    assert await waiting(tasks[-1])
    shut.set()
    await asyncio.wait_for(asyncio.gather(*tasks), SECONDS)


async def test_a_gate_shut_again_before_they_woke_holds_until_the_next_opening() -> None:
    shut = gate()
    shut.clear()
    task = asyncio.create_task(shut.wait())
    assert await waiting(task)
    shut.set()
    shut.clear()
    assert await waiting(task)
    shut.set()
    await asyncio.wait_for(task, SECONDS)


async def test_a_cancelled_wait_does_not_disturb_the_others() -> None:
    shut = gate()
    shut.clear()
    tasks = [asyncio.create_task(shut.wait()) for _ in range(3)]
    assert await waiting(tasks[-1])
    tasks[0].cancel()
    shut.set()
    await asyncio.wait_for(asyncio.gather(*tasks[1:]), SECONDS)


async def test_a_gate_keeps_nothing_of_waits_that_were_cancelled() -> None:
    shut = gate()
    shut.clear()
    for _ in range(20):
        task = asyncio.create_task(shut.wait())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
    assert len(shut._waiters or ()) == 1  # noqa: SLF001 - what is kept is the matter
