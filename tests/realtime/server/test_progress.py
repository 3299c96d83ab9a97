"""Whether a peer reads is told by what its kernel took, and where that is not known by what ours did."""

from typing import Any
from unittest.mock import Mock

import pytest

from realtime.server import progress as module
from realtime.server.progress import STEPS, Progress

LEAST = 1000


class Transport:
    """What waits, and what was taken."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waiting = 0
        self.taken: int | None = 0
        monkeypatch.setattr(module, "_taken", lambda _: self.taken)

    def get_write_buffer_size(self) -> int:
        """Bytes that wait."""
        return self.waiting


@pytest.fixture
def transport(monkeypatch: pytest.MonkeyPatch) -> Any:
    """One to which nothing was written."""
    return Transport(monkeypatch)


def looks(transport: Any, *states: tuple[int, int | None]) -> list[bool]:
    """What looks say, each after so many bytes wait and so many were taken."""
    progress, said = Progress(), []
    for transport.waiting, transport.taken in states:
        said.append(progress.has_stalled(transport, LEAST))
    return said


def test_who_has_nothing_to_read_never_stalls(transport: Any) -> None:
    assert looks(transport, *[(0, None)] * 20) == [False] * 20


def test_who_takes_nothing_has_stalled_at_the_second_look(transport: Any) -> None:
    assert looks(transport, (5000, 10), (5000, 10)) == [False, True]


def test_who_takes_little_has_stalled(transport: Any) -> None:
    assert looks(transport, (5000, 10), (4500, 510)) == [False, True]


def test_who_takes_enough_has_not_though_more_is_written_meanwhile(transport: Any) -> None:
    assert looks(transport, (5000, 10), (6000, 1010), (7000, 2010)) == [False] * 3


def test_what_was_written_between_two_looks_has_its_time(transport: Any) -> None:
    assert looks(transport, (5000, 10), (0, 5010), (5000, 5010), (5000, 5010)) == [False, False, False, True]


def test_where_the_kernel_does_not_tell_it_takes_longer(transport: Any) -> None:
    assert looks(transport, *[(5000, None)] * (STEPS + 1)) == [*[False] * STEPS, True]


def test_there_a_step_is_enough(transport: Any) -> None:
    assert looks(transport, *[(5000, None)] * STEPS, *[(4000, None)] * STEPS) == [False] * 2 * STEPS


def test_room_for_more_is_a_step(transport: Any) -> None:
    progress = Progress()
    transport.waiting, transport.taken = 5000, None
    for _ in range(3 * STEPS):
        assert not progress.has_stalled(transport, LEAST)
        progress.made()


def test_no_rate_is_no_limit(transport: Any) -> None:
    progress = Progress()
    for transport.taken in (0, 0, *[None] * 2 * STEPS):
        transport.waiting = 5000
        assert not progress.has_stalled(transport, 0)


def test_a_socket_that_is_none_of_the_network_does_not_tell() -> None:
    transport = Mock()
    transport.get_extra_info.return_value = None
    assert module._taken(transport) is None  # noqa: SLF001 - what the kernel says is asked here alone
