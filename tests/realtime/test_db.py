"""The threads that the database work of sockets runs on."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from realtime import db

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def threads() -> Iterator[db.Threads]:
    """One thread, so that what comes second finds what the first left."""
    made = db.Threads(1, "test")
    yield made
    made.close()


def my_connection() -> BaseDatabaseWrapper:
    """This thread's connection, used."""
    assert User.objects.count() == 0
    return connections["default"]


async def test_a_function_runs_in_another_thread_and_its_result_comes_back() -> None:
    assert await db.run(lambda a, b: (a + b, threading.current_thread().name), 1, b=2) == (3, "chorus-reader_0")


async def test_an_error_of_the_function_comes_back() -> None:
    with pytest.raises(IntegrityError):
        await db.run(lambda: [User.objects.create(username="alice") for _ in range(2)])


async def test_a_thread_keeps_its_connection(threads: db.Threads) -> None:
    first = await threads.run(my_connection)
    assert await threads.run(my_connection) is first
    assert first.connection is not None


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
async def test_a_lost_connection_is_unavailable_and_not_used_again(
    error: type[Exception], threads: db.Threads, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        used.append(my_connection().connection)
        raise error("server closed the connection unexpectedly\n\tThis probably means…")

    used: list[object] = []
    with pytest.raises(db.Unavailable):
        await threads.run(broken)
    used.append(await threads.run(lambda: my_connection().connection))
    assert used[1] is not None
    assert used[0] is not used[1]
    assert "server closed the connection unexpectedly" in caplog.text
    assert "probably" not in caplog.text


async def test_a_silent_database_is_unavailable_in_time(threads: db.Threads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "WAIT_SECONDS", 0.05)
    answer = threading.Event()
    with pytest.raises(db.Unavailable, match="in time"):
        await threads.run(answer.wait, 5)
    monkeypatch.undo()
    answer.set()
    assert await threads.run(lambda: 1) == 1


async def test_several_functions_run_at_the_same_time() -> None:
    together = threading.Barrier(4)
    assert sorted(await asyncio.gather(*[db.run(together.wait, 5) for _ in range(4)])) == [0, 1, 2, 3]


async def test_what_may_be_long_delays_nothing_else() -> None:
    go_on = threading.Event()
    long = [asyncio.ensure_future(db.run_apart(go_on.wait, 5)) for _ in range(50)]
    assert await db.run(lambda: threading.current_thread().name) == "chorus-reader_0"
    go_on.set()
    assert all(await asyncio.gather(*long))


async def test_who_would_wait_too_long_is_told_at_once() -> None:
    go_on = threading.Event()
    threads = db.Threads(1, "test", waiting=2)
    first = [asyncio.ensure_future(threads.run(go_on.wait, 5)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(db.Unavailable, match="too much waits"):
        await threads.run(int)
    go_on.set()
    assert all(await asyncio.gather(*first))
    assert await threads.run(int) == 0
    threads.close()


async def test_after_close_no_connection_is_left_and_the_next_call_opens_one() -> None:
    first = await db.run(my_connection)
    await asyncio.to_thread(db.close)
    assert first.connection is None
    assert (await db.run(my_connection)).connection is not None
