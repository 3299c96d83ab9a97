"""What waits for one socket, both ways to it."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from pytest_django import Settings

from realtime.hub.outbox import Burst, DirectOutbox, Frame, Outbox, QueuedOutbox
from tests.realtime.hub.reader import Reader, read_frames

Make = Callable[[Reader], Outbox]


@pytest.fixture(params=["direct", "queued"])
async def make(request: pytest.FixtureRequest, settings: Settings) -> AsyncIterator[Make]:
    """Makes an outbox of either kind, in which a thousand bytes may wait."""
    settings.CHORUS_OUTBOX_BYTES = 1000
    if request.param == "direct":
        yield lambda reader: DirectOutbox(reader, reader.overflow)
    else:
        yield lambda reader: QueuedOutbox(reader.send, reader.overflow)


@pytest.mark.parametrize(
    ("size", "header"),
    [
        (0, "8100"),
        (125, "817d"),
        (126, "817e007e"),
        (65535, "817effff"),
        (65536, "817f0000000000010000"),
    ],
)
def test_a_frame_s_header_has_the_size_that_rfc_6455_asks_for(size: int, header: str) -> None:
    wire = Frame("x" * size).wire
    assert wire[: len(wire) - size].hex() == header
    assert wire[len(wire) - size :] == b"x" * size


def test_a_binary_frame_says_so_and_text_counts_its_bytes() -> None:
    assert Frame(b"\xff").wire == b"\x82\x01\xff"
    assert Frame("ü").wire == b"\x81\x02\xc3\xbc"


def test_a_burst_is_its_frames_one_after_the_other() -> None:
    burst = Burst([Frame("a"), Frame(b"b"), Frame("")])
    assert read_frames(burst.wire) == ["a", b"b", ""]


async def test_order_is_kept_whatever_is_pushed_or_sent(make: Make) -> None:
    reader = Reader()
    outbox = make(reader)
    outbox.push(Frame("1"))
    outbox.push(Burst([Frame("2"), Frame(b"3")]))
    await outbox.send(Frame("4"))
    outbox.push(Frame(""))
    await outbox.finish()
    assert reader.frames() == ["1", "2", b"3", "4", ""]


async def test_what_is_sent_is_counted_and_what_waits_is_known(make: Make) -> None:
    reader = Reader()
    outbox = make(reader)
    await outbox.send(Frame("1"))
    reader.stop()
    outbox.push(Burst([Frame("2"), Frame(b"33")]))
    assert (outbox.messages, outbox.bytes, outbox.unsent) == (3, 3 + 3 + 4, 7)
    reader.resume()
    await outbox.finish()
    assert outbox.unsent == 0


async def test_what_is_dropped_is_not_counted(make: Make) -> None:
    reader = Reader()
    outbox = make(reader)
    reader.stop()
    for _ in range(10):
        outbox.push(Frame("x" * 400))
    assert outbox.messages == 3  # the limit is passed by the third, and seen before the fourth
    reader.resume()
    await outbox.finish()


async def test_a_reader_that_is_too_slow_is_told_of_once(make: Make) -> None:
    reader = Reader()
    outbox = make(reader)
    reader.stop()
    for _ in range(20):
        outbox.push(Frame("x" * 200))
    assert reader.overflows == 1


async def test_what_is_offered_to_a_slow_reader_is_refused_and_costs_it_nothing(make: Make) -> None:
    reader = Reader()
    outbox = make(reader)
    reader.stop()
    assert outbox.offer(Frame("x" * 2000))
    assert not outbox.offer(Frame("y"))
    reader.resume()
    await outbox.finish()
    assert outbox.offer(Frame("z"))
    await outbox.finish()
    assert (reader.frames(), reader.overflows) == (["x" * 2000, "z"], 0)


async def test_what_waits_is_bounded(make: Make) -> None:
    reader = Reader()
    outbox = make(reader)
    reader.stop()
    for _ in range(20):
        outbox.push(Frame("x" * 198))
    reader.resume()
    await outbox.finish()
    assert len(reader.frames()) <= 6


async def test_after_a_dropped_frame_none_follows(make: Make) -> None:
    """Else its reader would take the next position for the one that came, and never miss the hole."""
    reader = Reader()
    outbox = make(reader)
    reader.stop()
    for number in range(20):
        outbox.push(Frame(f"{number:<200}"))
    before = reader.overflows
    reader.resume()
    await outbox.finish()
    outbox.push(Frame("later"))
    await outbox.send(Frame("a reply"))
    await outbox.finish()
    assert before == 1
    assert [str(frame).strip() for frame in reader.frames()] == [str(n) for n in range(len(reader.frames()))]


async def test_a_frame_larger_than_the_limit_fits_an_empty_outbox(make: Make) -> None:
    reader = Reader()
    outbox = make(reader)
    outbox.push(Frame("x" * 5000))
    await outbox.finish()
    assert reader.frames() == ["x" * 5000]
    assert not reader.overflows


async def test_send_waits_until_the_reader_has_room(make: Make) -> None:
    reader = Reader()
    outbox = make(reader)
    reader.stop()
    sending = asyncio.create_task(outbox.send(Frame("x" * 5000)))
    done, _ = await asyncio.wait({sending}, timeout=0.02)
    assert not done
    reader.resume()
    await sending
    assert reader.frames() == ["x" * 5000]


async def test_a_paced_replay_never_counts_as_slow(make: Make) -> None:
    reader = Reader()
    outbox = make(reader)
    for _ in range(20):
        await outbox.send(Frame("x" * 900))
    assert len(reader.frames()) == 20
    assert not reader.overflows


async def test_what_is_sent_waits_for_what_was_pushed_and_does_not_overflow_it(make: Make) -> None:
    reader = Reader()
    outbox = make(reader)
    reader.stop()
    for text in "abc":
        outbox.push(Frame(text * 400))
    sending = asyncio.create_task(outbox.send(Frame("a reply")))
    await asyncio.sleep(0)
    reader.resume()
    await sending
    assert reader.frames() == ["a" * 400, "b" * 400, "c" * 400, "a reply"]
    assert not reader.overflows


async def test_drain_returns_when_the_reader_has_room_again(make: Make) -> None:
    reader = Reader()
    outbox = make(reader)
    reader.stop()
    outbox.push(Frame("x"))
    draining = asyncio.create_task(outbox.drain())
    done, _ = await asyncio.wait({draining}, timeout=0.02)
    assert not done
    reader.resume()
    await draining


async def test_without_a_limit_nothing_overflows(make: Make, settings: Settings) -> None:
    settings.CHORUS_OUTBOX_BYTES = 0
    reader = Reader()
    outbox = make(reader)
    reader.stop()
    for _ in range(100):
        outbox.push(Frame("x" * 10_000))
    assert not reader.overflows
    reader.resume()
    await outbox.finish()
    assert len(reader.frames()) == 100


async def test_a_peer_that_vanishes_ends_the_waiting_and_is_no_slow_reader(settings: Settings) -> None:
    settings.CHORUS_OUTBOX_BYTES = 10
    reader = Reader()
    outbox = QueuedOutbox(reader.send, reader.overflow)
    reader.stop()
    outbox.push(Frame("lost"))
    reader.gone = True
    reader.resume()
    await asyncio.wait_for(outbox.finish(), 1)
    for _ in range(10):
        await asyncio.wait_for(outbox.send(Frame("lost too")), 1)
    assert (reader.frames(), reader.overflows) == ([], 0)


async def test_what_is_pushed_in_one_turn_is_sent_by_one_task() -> None:
    reader = Reader()
    outbox = QueuedOutbox(reader.send, reader.overflow)
    before = len(asyncio.all_tasks())
    for _ in range(10):
        outbox.push(Frame("x"))
    assert len(asyncio.all_tasks()) == before + 1
    await outbox.finish()


async def test_it_knows_when_nobody_reads_any_more(make: Make) -> None:
    reader = Reader()
    outbox = make(reader)
    assert not outbox.gone
    reader.gone = reader.ended = True
    await outbox.send(Frame("to nobody"))
    assert outbox.gone
