"""One of a kind for each event loop."""

import asyncio
import gc
import threading
import weakref

from realtime.per_loop import PerLoop


class Made:
    """What there is one of."""


async def test_a_loop_has_one_and_keeps_it() -> None:
    kinds = PerLoop(Made)
    assert kinds.here() is kinds.here()


def test_another_loop_has_another() -> None:
    kinds = PerLoop(Made)

    async def mine() -> Made:
        return kinds.here()

    with asyncio.Runner() as one, asyncio.Runner() as two:
        assert one.run(mine()) is not two.run(mine())


def test_loops_that_ask_in_turn_have_each_their_own() -> None:
    kinds = PerLoop(Made)

    async def mine() -> Made:
        return kinds.here()

    with asyncio.Runner() as one, asyncio.Runner() as two:
        firsts = [one.run(mine()), two.run(mine())]
        assert [one.run(mine()), two.run(mine())] == firsts


async def test_what_was_taken_is_made_anew() -> None:
    kinds = PerLoop(Made)
    first = kinds.here()
    assert kinds.take() is first
    assert kinds.take() is None
    assert kinds.here() is not first


def test_another_thread_finds_those_whose_loops_run() -> None:
    kinds = PerLoop(Made)
    made, stop = threading.Event(), threading.Event()

    async def main() -> None:
        kinds.here()
        made.set()
        await asyncio.to_thread(stop.wait, 10)

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    made.wait(5)
    [(loop, _)] = kinds.running()
    assert loop.is_running()
    stop.set()
    thread.join()
    assert kinds.running() == []


def test_it_goes_with_its_loop() -> None:
    kinds = PerLoop(Made)
    gone: list[bool] = []

    async def main() -> None:
        weakref.finalize(kinds.here(), gone.append, True)

    asyncio.run(main())
    gc.collect()
    assert gone == [True]
