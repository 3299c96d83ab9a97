"""What one person may do at most, and one network."""

import time

import pytest
from pytest_django import Settings

from realtime import rates as module
from realtime.protocol import CloseCode, Refused
from realtime.rates import PING_BURST, Buckets, PingRate, Rates, Strikes, cost_of


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock, which stands still unless a test moves it."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def refusal_of(rates: Rates, holder: str = "user:1", together: str = "") -> Refused:
    with pytest.raises(Refused) as caught:
        rates.take(holder, together=together)
    return caught.value


def test_a_burst_passes_and_the_next_command_is_told_to_wait(clock: list[float], settings: Settings) -> None:
    settings.CHORUS_COMMAND_BURST, settings.CHORUS_COMMAND_RATE = 3, 10
    rates = Rates()
    for _ in range(3):
        rates.take("user:1")
    refusal = refusal_of(rates)
    assert (refusal.code, refusal.retry_after, refusal.close) == ("rate_limited", 0.1, None)
    assert refusal.message == "Too many messages (max 10 per second)"
    rates.take("user:2")


def test_after_the_time_to_wait_there_is_room_for_one(clock: list[float], settings: Settings) -> None:
    settings.CHORUS_COMMAND_BURST, settings.CHORUS_COMMAND_RATE = 1, 10
    rates = Rates()
    rates.take("user:1")
    clock[0] += refusal_of(rates).retry_after or 0
    rates.take("user:1")
    assert refusal_of(rates).retry_after == 0.1


def test_what_is_saved_up_is_never_more_than_a_burst(clock: list[float], settings: Settings) -> None:
    settings.CHORUS_COMMAND_BURST, settings.CHORUS_COMMAND_RATE = 2, 10
    rates = Rates()
    rates.take("user:1")
    clock[0] += 3600
    rates.take("user:1")
    rates.take("user:1")
    assert refusal_of(rates).retry_after == 0.1


def test_what_costs_more_than_is_left_is_owed(clock: list[float], settings: Settings) -> None:
    settings.CHORUS_COMMAND_BURST, settings.CHORUS_COMMAND_RATE = 2, 10
    rates = Rates()
    rates.take("user:1", 4)
    assert refusal_of(rates).retry_after == 0.3
    rates.owe("user:1", 2)
    assert refusal_of(rates).retry_after == 0.5


def test_guests_of_one_network_share_what_ten_people_may(clock: list[float], settings: Settings) -> None:
    settings.CHORUS_COMMAND_BURST, settings.CHORUS_COMMAND_RATE = 1, 10
    rates = Rates()
    for number in range(10):
        rates.take(f"guest:{number}", together="192.0.2.7")
    refusal = refusal_of(rates, "guest:10", "192.0.2.7")
    assert refusal.message == "Too many messages from this network (max 100 per second)"
    rates.take("guest:11", together="192.0.2.8")


def test_who_was_refused_for_others_has_lost_nothing(clock: list[float], settings: Settings) -> None:
    settings.CHORUS_COMMAND_BURST, settings.CHORUS_COMMAND_RATE = 1, 10
    rates = Rates()
    for number in range(10):
        rates.take(f"guest:{number}", together="192.0.2.7")
    refusal_of(rates, "guest:10", "192.0.2.7")
    rates.take("guest:10", together="192.0.2.8")


def test_many_holders_take_no_more_room_than_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HOLDERS_KEPT", 3)
    buckets = Buckets()
    for number in range(10):
        buckets.of(f"guest:{number}", 60)
        buckets.of("user:1", 60)
    assert list(buckets) == ["guest:8", "guest:9", "user:1"]


def test_a_network_connects_so_often_and_no_more(clock: list[float], settings: Settings) -> None:
    settings.CHORUS_CONNECT_BURST, settings.CHORUS_CONNECT_RATE = 2, 10
    settings.CHORUS_CONNECTIONS_PER_ADDRESS = settings.CHORUS_CONNECTIONS_PER_USER = 1
    rates = Rates()
    assert [rates.connect("192.0.2.7") for _ in range(3)] == [0, 0, 0.1]
    assert rates.connect("192.0.2.8") == 0
    clock[0] += 0.1
    assert [rates.connect("192.0.2.7") for _ in range(2)] == [0, pytest.approx(0.1)]


def test_who_logs_in_does_not_count_for_the_network(clock: list[float], settings: Settings) -> None:
    settings.CHORUS_CONNECT_BURST, settings.CHORUS_CONNECT_RATE = 2, 10
    settings.CHORUS_CONNECTIONS_PER_ADDRESS = settings.CHORUS_CONNECTIONS_PER_USER = 1
    rates = Rates()
    for number in range(10):
        assert rates.connect("192.0.2.7") == 0
        assert rates.logged_in("192.0.2.7", f"user:{number}") == 0


def test_who_logs_in_again_and_again_counts(clock: list[float], settings: Settings) -> None:
    settings.CHORUS_CONNECT_BURST, settings.CHORUS_CONNECT_RATE = 2, 10
    settings.CHORUS_CONNECTIONS_PER_ADDRESS = settings.CHORUS_CONNECTIONS_PER_USER = 1
    rates = Rates()
    assert [rates.logged_in("192.0.2.7", "user:1") for _ in range(3)] == [0, 0, 0.1]


@pytest.mark.parametrize(("most", "refused"), [(2, True), (5, False), (0, False)])
def test_who_may_have_so_many_open_may_open_them_at_once(most: int, refused: bool, settings: Settings) -> None:
    settings.CHORUS_CONNECT_BURST, settings.CHORUS_CONNECT_RATE = 2, 0.001
    settings.CHORUS_CONNECTIONS_PER_ADDRESS = settings.CHORUS_CONNECTIONS_PER_USER = most
    rates = Rates()
    assert any(rates.connect("192.0.2.7") for _ in range(5)) is refused
    assert any(rates.logged_in("192.0.2.8", "user:1") for _ in range(5)) is refused


@pytest.mark.parametrize("name", ["CHORUS_CONNECT_RATE", "CHORUS_CONNECT_BURST"])
def test_without_a_rate_everybody_connects(name: str, settings: Settings) -> None:
    setattr(settings, name, 0)
    rates = Rates()
    assert not any(rates.connect("192.0.2.7") for _ in range(5000))


@pytest.mark.parametrize(
    ("network", "counts"), [("127.0.0.1", False), ("::1", False), ("192.0.2.7", True), ("unix", True)]
)
def test_in_development_this_machine_connects_as_it_likes(
    network: str, counts: bool, development: None, settings: Settings
) -> None:
    settings.CHORUS_CONNECT_BURST = 1
    settings.CHORUS_CONNECTIONS_PER_ADDRESS = settings.CHORUS_CONNECTIONS_PER_USER = 1
    rates = Rates()
    rates.connect(network)
    assert bool(rates.connect(network)) is counts


@pytest.mark.parametrize(("size", "cost"), [(0, 1), (8192, 1), (12_288, 1.5), (1024 * 1024, 128)])
def test_a_long_frame_counts_as_several(size: int, cost: float) -> None:
    assert cost_of(size) == cost


def test_bytes_count_for_nothing_where_a_site_says_so(settings: Settings) -> None:
    settings.CHORUS_COMMAND_BYTES = 0
    assert cost_of(1024 * 1024) == 1


def closes(strikes: Strikes) -> CloseCode | None:
    return strikes.refuse(Refused("rate_limited", "Too many")).close


def test_the_third_refusal_within_a_minute_closes(clock: list[float]) -> None:
    strikes = Strikes()
    assert [closes(strikes) for _ in range(3)] == [None, None, CloseCode.RATE]


def test_refusals_of_another_minute_are_forgotten(clock: list[float]) -> None:
    strikes = Strikes()
    for _ in range(5):
        assert closes(strikes) is None
        clock[0] += 31


@pytest.mark.parametrize("name", ["CHORUS_COMMAND_RATE", "CHORUS_COMMAND_BURST"])
def test_without_a_rate_everything_passes(name: str, clock: list[float], settings: Settings) -> None:
    setattr(settings, name, 0)
    rates = Rates()
    for _ in range(1000):
        rates.take("user:1", 1000)


def test_pings_have_a_rate_of_their_own_that_no_setting_frees(clock: list[float], settings: Settings) -> None:
    settings.CHORUS_COMMAND_BURST, settings.CHORUS_COMMAND_RATE = 0, 0
    rate = PingRate()
    for _ in range(PING_BURST):
        rate.take()
    with pytest.raises(Refused) as caught:
        rate.take()
    refusal = caught.value
    assert (refusal.message, refusal.retry_after) == ("Too many pings (max 5 per second)", 0.2)
