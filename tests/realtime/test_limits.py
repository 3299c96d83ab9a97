"""What one client may do at most."""

import time

import pytest
from pytest_django import Settings

from realtime.limits import Throttle, check_length
from realtime.protocol import Refused


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock, which stands still unless a test moves it."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_throttle_lets_one_through_until_its_time_is_over(clock: list[float]) -> None:
    throttle = Throttle()
    assert throttle.passes("typing alice", 2)
    assert not throttle.passes("typing alice", 2)
    assert throttle.passes("typing bob", 2)
    clock[0] += 2
    assert throttle.passes("typing alice", 2)


def test_a_throttle_forgets_what_is_over(clock: list[float]) -> None:
    throttle = Throttle()
    for number in range(5000):
        throttle.passes(f"typing {number}", 2)
        clock[0] += 0.01
    assert len(throttle._until) < 1500  # noqa: SLF001 - what is forgotten shows nowhere else


def test_a_text_is_as_long_as_the_site_allows(settings: Settings) -> None:
    settings.CHORUS_MAX_TEXT = 2
    check_length("Hi")
    with pytest.raises(Refused, match=r"^Message too long \(max 2 chars\)$") as caught:
        check_length("Hi!")
    assert caught.value.code == "too_long"
    with pytest.raises(Refused, match=r"^Message too long \(max 2 bytes\)$"):
        check_length(b"Hi!")
    settings.CHORUS_MAX_TEXT = 0
    check_length("x" * 100_000)
