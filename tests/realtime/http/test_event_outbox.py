"""What waits for the reader of an event stream."""

import asyncio

import pytest
from pytest_django import Settings

from realtime.http.event_outbox import FULL_BYTES, EventOutbox
from realtime.hub.outbox import Frame


async def test_silence_is_filled_with_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.http.event_outbox.KEEP_ALIVE_SECONDS", 0.01)
    outbox = EventOutbox(str.encode, lambda: None)
    assert await outbox.take() == b": keep-alive\n\n"


async def test_what_waits_is_taken_together() -> None:
    outbox = EventOutbox(str.encode, lambda: None)
    outbox.push(Frame("one "))
    outbox.push(Frame("two"))
    assert (outbox.messages, outbox.bytes, outbox.unsent) == (2, 7, 7)
    assert (await outbox.take()).endswith(b"one two")
    assert (outbox.messages, outbox.bytes, outbox.unsent) == (2, 7, 0)


async def test_after_the_end_there_is_nothing() -> None:
    outbox = EventOutbox(str.encode, lambda: None)
    outbox.push(Frame("one"))
    outbox.end()
    assert [bool(await outbox.take()), await outbox.take()] == [True, b""]


async def test_who_is_too_slow_is_told_of_once_and_gets_no_more(settings: Settings) -> None:
    settings.CHORUS_OUTBOX_BYTES = 10
    overflows: list[bool] = []
    outbox = EventOutbox(str.encode, lambda: overflows.append(True))
    for text in ("more than ten", "late", "later"):
        outbox.push(Frame(text))
    assert (len(overflows), outbox.messages) == (1, 1)


async def test_a_replay_waits_while_much_is_unread() -> None:
    outbox = EventOutbox(str.encode, lambda: None)
    sending = asyncio.create_task(outbox.send(Frame("x" * (FULL_BYTES + 1))))
    await asyncio.sleep(0)
    assert not sending.done()
    await outbox.take()
    await sending


async def test_the_end_is_waited_for_by_nobody() -> None:
    outbox = EventOutbox(str.encode, lambda: None)
    sending = asyncio.create_task(outbox.send(Frame("x" * (FULL_BYTES + 1))))
    await asyncio.sleep(0)
    outbox.end()
    await sending
    assert outbox.gone
