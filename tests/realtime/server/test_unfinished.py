"""Requests that are not complete are bounded for a network and a process, and the oldest goes."""

import logging

import pytest
from pytest_django import Settings

from realtime.server import unfinished as module
from realtime.server.unfinished import Unfinished


class Waiting:
    """A connection that waits, until it is given up."""

    def __init__(self) -> None:
        self.given_up = 0

    def give_up(self) -> None:
        """End it."""
        self.given_up += 1


def added(found: Unfinished, address: str, count: int) -> list[Waiting]:
    """So many connections from an address."""
    waiting = [Waiting() for _ in range(count)]
    for each in waiting:
        found.add(each, address)
    return waiting


@pytest.fixture
def found(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Unfinished:
    """At most three of a network, and six in all."""
    settings.CHORUS_UNFINISHED_PER_ADDRESS = 3
    monkeypatch.setattr(module, "FEWEST", 6)
    monkeypatch.setattr(module, "_files", lambda: 0)
    return Unfinished()


def given_up(waiting: list[Waiting]) -> list[int]:
    """How often each was."""
    return [each.given_up for each in waiting]


def test_of_too_many_of_a_network_the_oldest_goes(found: Unfinished) -> None:
    other = added(found, "203.0.113.8", 1)
    assert given_up(added(found, "203.0.113.7", 5)) == [1, 1, 0, 0, 0]
    assert given_up(other) == [0]


def test_an_ipv6_network_counts_as_one(found: Unfinished) -> None:
    first = added(found, "2001:db8::1", 1)
    added(found, "2001:db8::2", 3)
    assert given_up(first) == [1]


def test_of_too_many_in_all_the_oldest_goes(found: Unfinished) -> None:
    first = added(found, "203.0.113.1", 1)
    for number in range(2, 8):
        added(found, f"203.0.113.{number}", 1)
    assert given_up(first) == [1]


def test_who_is_finished_does_not_count(found: Unfinished) -> None:
    for each in added(found, "203.0.113.7", 3):
        found.discard(each)
        found.discard(each)
    assert given_up(added(found, "203.0.113.7", 3)) == [0, 0, 0]


@pytest.mark.parametrize(("trusted", "address"), [("203.0.113.0/24", "203.0.113.7"), ("unix", "")])
def test_trusted_proxies_ask_for_many(found: Unfinished, settings: Settings, trusted: str, address: str) -> None:
    settings.TRUSTED_PROXIES = [trusted]
    assert given_up(added(found, address, 6)) == [0] * 6
    assert given_up(added(found, address, 1)) == [0]


def test_nobody_is_trusted_for_having_no_address(found: Unfinished, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = []
    assert given_up(added(found, "", 4)) == [1, 0, 0, 0]


def test_no_limit_is_none(found: Unfinished, settings: Settings) -> None:
    settings.CHORUS_UNFINISHED_PER_ADDRESS = 0
    assert given_up(added(found, "203.0.113.7", 6)) == [0] * 6


def test_what_is_given_up_is_told_once_a_minute(found: Unfinished, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "chorus.http"):
        added(found, "203.0.113.7", 20)
    assert [record.getMessage() for record in caplog.records] == [
        "closed: a request did not come to its end (told once a minute) address=203.0.113.7"
    ]


def test_what_is_overdue_is_given_up_once(found: Unfinished) -> None:
    waiting = added(found, "203.0.113.7", 1)
    found.expire(waiting[0], "203.0.113.7")
    found.expire(waiting[0], "203.0.113.7")
    assert given_up(waiting) == [1]


def test_where_files_have_no_limit_there_is_one_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert module._files() == module.MOST_FILES  # noqa: SLF001 - a process of its own would be needed to see it
