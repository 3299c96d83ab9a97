"""Load is applied as it says, against a server that does as good as nothing."""

from collections.abc import Iterator

import pytest

from benchmarks.load.generator import Load, LoadError
from benchmarks.load.patterns import at_rate, fan_out
from benchmarks.others import LEAST, installed
from benchmarks.servers import Target

pytestmark = pytest.mark.process


@pytest.fixture
def least() -> Iterator[Target]:
    """The server."""
    for start in installed("broadcast", LEAST):
        with start() as target:
            yield target
            return
    pytest.skip("there is no C compiler (cc)")


@pytest.fixture
def load() -> Iterator[Load]:
    """The generator."""
    with Load() as load:
        yield load


def test_a_window_is_kept_full_and_nothing_is_lost(least: Target, load: Load) -> None:
    readers = least.open(load, "broadcast", 3)
    per_second, notes = fan_out(load, least.pid, readers, least.payload, 8, 0.1)
    assert per_second > 0
    assert notes["server_cpu"] > 0
    assert len({reader.received for reader in readers}) == 1


def test_messages_at_a_rate_come_at_that_rate(least: Target, load: Load) -> None:
    readers = least.open(load, "broadcast", 4)
    notes = at_rate(load, least.pid, [readers], "x" * 128, 100, 0.5)
    (received,) = {reader.received for reader in readers}
    assert 40 <= received <= 51
    assert notes["p50"] <= notes["p99"]


def test_what_a_server_refuses_is_no_latency(least: Target, load: Load) -> None:
    readers = least.open(load, "broadcast", 1)
    with pytest.raises(LoadError, match="refused"):
        at_rate(load, least.pid, [readers], '{"type":"error","code":"unavailable"}', 100, 0.1)
