"""Work that mends holes: one at a time, until nothing is missing."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from realtime import db
from realtime.hub import repair as module
from realtime.hub.repair import Repair


def pages(*outcomes: bool | Exception) -> tuple[list[bool | Exception], Callable[[], Awaitable[bool]]]:
    """Pages that end so, one after the other; and those that have been read."""
    read: list[bool | Exception] = []

    async def page() -> bool:
        outcome = outcomes[len(read)]
        read.append(outcome)
        await asyncio.sleep(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return read, page


async def test_pages_are_read_until_nothing_is_missing() -> None:
    read, page = pages(False, False, True)
    await Repair("Room", page).done()
    assert read == [False, False, True]


async def test_what_is_asked_for_meanwhile_is_read_once_more() -> None:
    read, page = pages(True, True)
    tested = Repair("Room", page)
    first = tested.ask()
    await asyncio.sleep(0)
    assert read  # the page has begun, and is not over
    assert tested.ask() is first
    await first
    assert read == [True, True]


async def test_what_is_asked_for_together_is_one_repair() -> None:
    read, page = pages(True)
    tested = Repair("Room", page)
    assert tested.ask() is tested.ask()
    await tested.ask()
    assert read == [True]


async def test_a_database_that_is_away_is_asked_again_later_and_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_DELAY", 0.001)
    read, page = pages(db.Unavailable("away"), db.Unavailable("away"), True)
    await Repair("Room", page).done()
    assert len(read) == 3


async def test_who_waits_for_it_waits_no_longer_than_for_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "WAIT_SECONDS", 0.01)
    _, page = pages(*[db.Unavailable("away")] * 5)
    tested = Repair("Room", page)
    with pytest.raises(db.Unavailable):
        await tested.done()
    tested.close()


async def test_a_bug_ends_it_and_the_next_one_begins_anew(caplog: pytest.LogCaptureFixture) -> None:
    read, page = pages(ZeroDivisionError("oh"), True)
    tested = Repair("Room", page)
    await tested.ask()
    assert "repair of Room failed" in caplog.text
    await tested.ask()
    assert len(read) == 2


async def test_once_closed_it_reads_no_more() -> None:
    read, page = pages(False, False, True)
    tested = Repair("Room", page)
    working = tested.ask()
    await asyncio.sleep(0)
    assert read == [False]
    tested.close()
    await asyncio.wait({working})
    assert working.cancelled()
    assert read == [False]
