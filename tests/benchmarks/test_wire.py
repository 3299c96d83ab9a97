"""The load generator counts messages right, wherever reads cut the stream."""

import pytest

from benchmarks.load.wire import CLOSE, PING, TEXT, Counter, PackedCounter, client_frame
from realtime.hub.outbox import Frame

STREAM = b"".join(
    [
        Frame("short").wire,
        Frame("").wire,
        Frame("x" * 125).wire,
        bytes((PING, 2)) + b"hi",
        Frame("x" * 126).wire,
        bytes((0x01, 3)) + b"fra",
        bytes((PING, 0)),
        bytes((0x80, 5)) + b"gment",
        Frame(b"y" * 70_000).wire,
        bytes((CLOSE, 2)) + b"\x03\xe8",
    ]
)
MESSAGES = 6
CONTROL = [(PING, b"hi"), (PING, b""), (CLOSE, b"\x03\xe8")]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 128, 131, 4096, len(STREAM)])
def test_messages_and_control_frames_are_found_in_pieces_of_any_size(size: int) -> None:
    counter, found = Counter(), 0
    for start in range(0, len(STREAM), size):
        piece = bytearray(STREAM[start : start + size])
        found += counter.feed(piece + b"what an earlier read left in the buffer", len(piece))
    assert found == MESSAGES
    assert counter.control == CONTROL
    assert counter.between


@pytest.mark.parametrize("cut", range(1, 140))
def test_one_cut_anywhere_changes_nothing(cut: int) -> None:
    counter, stream = Counter(), bytearray(Frame("x" * 128).wire + Frame("next").wire)
    assert counter.feed(stream[:cut], cut) + counter.feed(stream[cut:], len(stream) - cut) == 2


@pytest.mark.parametrize(("size", "header"), [(125, 6), (126, 8), (65535, 8), (65536, 14)])
def test_a_clients_frame_is_masked_with_zeros(size: int, header: int) -> None:
    frame = client_frame("x" * size)
    assert frame[0] == TEXT
    assert frame[1] & 0x80
    assert frame[header - 4 : header] == bytes(4)
    assert frame[header:] == b"x" * size


@pytest.mark.parametrize("size", [1, 7, 128, 10_000])
def test_messages_that_share_frames_are_counted_by_their_bytes(size: int) -> None:
    stream = Frame(b"m" * 150).wire + Frame(b"m" * 450).wire + bytes((PING, 0)) + Frame(b"m" * 75).wire * 2
    counter, found = PackedCounter(150), 0
    for start in range(0, len(stream), size):
        piece = bytearray(stream[start : start + size])
        found += counter.feed(piece, len(piece))
    assert found == 5
