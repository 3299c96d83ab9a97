"""Event streams end when the server is asked to stop."""

import asyncio
import signal
import threading
from collections.abc import Iterator

import pytest

from realtime.http.stopping import Stopping
from tests.processes import serve
from tests.realtime.http.event_stream import SECONDS, reading

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stream:
    """A response that goes on, and notes in a list when it is told to stop."""

    def __init__(self, told: list[str]) -> None:
        self._told = told

    def stop(self) -> None:
        self._told.append("stream")


@pytest.fixture
def told() -> Iterator[list[str]]:
    """Who was told of a signal, one after the other; a server hears both."""
    found: list[str] = []
    before = {number: signal.signal(number, lambda *_: found.append("server")) for number in SIGNALS}
    yield found
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_every_stream_is_told_before_the_server(number: int, told: list[str]) -> None:
    stopping = Stopping()
    for _ in range(2):
        stopping.add(Stream(told))
    signal.raise_signal(number)
    assert told == ["stream", "stream", "server"]


def test_after_the_last_stream_the_signals_are_the_server_s_again(told: list[str]) -> None:
    stopping, streams = Stopping(), [Stream(told), Stream(told)]
    before = [signal.getsignal(number) for number in SIGNALS]
    for stream in streams:
        stopping.add(stream)
    stopping.discard(streams[0])
    assert all(signal.getsignal(number) not in before for number in SIGNALS)
    stopping.discard(streams[1])
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_server_in_another_thread_hears_no_signals_and_keeps_them_as_they_are(told: list[str]) -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    thread = threading.Thread(target=Stopping().add, args=[Stream(told)])
    thread.start()
    thread.join()
    assert [signal.getsignal(number) for number in SIGNALS] == before


@pytest.mark.parametrize("number", SIGNALS)
async def test_a_stopping_server_ends_its_streams(number: int) -> None:
    with serve() as stopping:
        async with reading(stopping) as reader, reading(stopping) as other:
            await reader.next()
            await other.next()
            stopped = asyncio.create_task(asyncio.to_thread(stopping.terminate, number))
            assert await reader.ended()
            assert await other.ended()
            async with asyncio.timeout(SECONDS):
                assert await stopped == 0
