"""What one client may do at most."""

import time

import pytest
from pytest_django import Settings

from realtime.limits import PING_BURST, CommandRate, PingRate, Throttle, check_length
from realtime.protocol import CloseCode, Refused


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock, which stands still unless a test moves it."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def refusal_of(rate: CommandRate) -> Refused:
    with pytest.raises(Refused) as caught:
        rate.take()
    return caught.value


def test_a_burst_passes_and_the_next_command_is_told_to_wait(clock: list[float], settings: Settings) -> None:
    settings.CHORUS_COMMAND_BURST, settings.CHORUS_COMMAND_RATE = 3, 10
    rate = CommandRate()
    for _ in range(3):
        rate.take()
    refusal = refusal_of(rate)
    assert (refusal.code, refusal.retry_after, refusal.close) == ("rate_limited", 0.1, None)
    assert refusal.message == "Too many messages (max 10 per second)"


def test_after_the_time_to_wait_there_is_room_for_one(clock: list[float], settings: Settings) -> None:
    settings.CHORUS_COMMAND_BURST, settings.CHORUS_COMMAND_RATE = 1, 10
    rate = CommandRate()
    rate.take()
    clock[0] += refusal_of(rate).retry_after or 0
    rate.take()
    assert refusal_of(rate).retry_after == 0.1


def test_what_is_saved_up_is_never_more_than_a_burst(clock: list[float], settings: Settings) -> None:
    settings.CHORUS_COMMAND_BURST, settings.CHORUS_COMMAND_RATE = 2, 10
    rate = CommandRate()
    clock[0] += 3600
    rate.take()
    rate.take()
    assert refusal_of(rate).retry_after == 0.1


def test_the_third_refusal_within_a_minute_closes(clock: list[float], settings: Settings) -> None:
    settings.CHORUS_COMMAND_BURST = 1
    rate = CommandRate()
    rate.take()
    assert [refusal_of(rate).close for _ in range(3)] == [None, None, CloseCode.RATE]


def test_refusals_of_another_minute_are_forgotten(clock: list[float], settings: Settings) -> None:
    settings.CHORUS_COMMAND_BURST, settings.CHORUS_COMMAND_RATE = 1, 0.001
    rate = CommandRate()
    rate.take()
    for _ in range(5):
        assert refusal_of(rate).close is None
        clock[0] += 31


@pytest.mark.parametrize("name", ["CHORUS_COMMAND_RATE", "CHORUS_COMMAND_BURST"])
def test_without_a_rate_everything_passes(name: str, clock: list[float], settings: Settings) -> None:
    setattr(settings, name, 0)
    rate = CommandRate()
    for _ in range(1000):
        rate.take()


def test_pings_have_a_rate_of_their_own_that_no_setting_frees(clock: list[float], settings: Settings) -> None:
    settings.CHORUS_COMMAND_BURST, settings.CHORUS_COMMAND_RATE = 0, 0
    rate = PingRate()
    for _ in range(PING_BURST):
        rate.take()
    refusal = refusal_of(rate)
    assert (refusal.message, refusal.retry_after) == ("Too many pings (max 5 per second)", 0.2)


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
    settings.CHORUS_MAX_TEXT = 0
    check_length("x" * 100_000)
