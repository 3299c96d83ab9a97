"""How many sockets a user, an address and a process may have."""

import pytest
from pytest_django import Settings

from realtime.connections.open import OpenSockets


def test_a_user_has_so_many_sockets_and_gets_one_back_by_leaving(settings: Settings) -> None:
    settings.CHORUS_CONNECTIONS_PER_USER = 2
    sockets = OpenSockets()
    assert [sockets.enter("user:1") for _ in range(3)] == [True, True, False]
    assert sockets.enter("user:2")
    sockets.leave("user:1")
    assert sockets.enter("user:1")


def test_an_address_has_a_limit_of_its_own(settings: Settings) -> None:
    settings.CHORUS_CONNECTIONS_PER_USER, settings.CHORUS_CONNECTIONS_PER_ADDRESS = 1, 2
    sockets = OpenSockets()
    assert [sockets.enter("10.0.0.1") for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.0.1", "::1"])
def test_this_machine_has_no_limit_in_development(address: str, settings: Settings) -> None:
    settings.CHORUS_CONNECTIONS_PER_ADDRESS = 1
    for debug, expected in ((True, [True, True]), (False, [True, False])):
        settings.DEBUG = debug
        sockets = OpenSockets()
        assert [sockets.enter(address) for _ in range(2)] == expected


def test_another_machine_has_a_limit_in_development_too(development: None, settings: Settings) -> None:
    settings.CHORUS_CONNECTIONS_PER_ADDRESS = 1
    sockets = OpenSockets()
    assert [sockets.enter("192.0.2.1") for _ in range(2)] == [True, False]
    assert [sockets.enter("unknown") for _ in range(2)] == [True, False]


def test_without_limits_everybody_comes_in(settings: Settings) -> None:
    settings.CHORUS_CONNECTIONS_PER_USER = settings.CHORUS_CONNECTIONS_PER_ADDRESS = 0
    sockets = OpenSockets()
    assert all(sockets.enter(holder) for holder in ["user:1", "10.0.0.1"] for _ in range(500))


def test_a_process_is_full_at_its_limit(settings: Settings) -> None:
    settings.CHORUS_CONNECTIONS_PER_PROCESS = 2
    sockets = OpenSockets()
    sockets.total = 1
    assert not sockets.full()
    sockets.total = 2
    assert sockets.full()
    settings.CHORUS_CONNECTIONS_PER_PROCESS = 0
    assert not sockets.full()
