"""One line of the log for one thing, its facts as fields."""

import logging

import pytest

from realtime.log import log


def test_a_fact_is_a_field_and_part_of_the_line(caplog: pytest.LogCaptureFixture) -> None:
    log(logging.getLogger("chorus.test"), "login denied: %s", "no", user="alice", address="::1")
    assert caplog.messages == ["login denied: no user=alice address=::1"]
    assert vars(caplog.records[0]).items() >= {"user": "alice", "address": "::1"}.items()


@pytest.mark.parametrize("name", ["eve user=root", "a=b", "'a'", "a\nb", "a\u202eb"])
def test_a_fact_cannot_look_like_another(caplog: pytest.LogCaptureFixture, name: str) -> None:
    log(logging.getLogger("chorus.test"), "login", user=name)
    assert caplog.messages == [f"login user={name!r}"]
    assert caplog.records[0].user == name  # type: ignore[attr-defined]


def test_a_fact_has_an_end(caplog: pytest.LogCaptureFixture) -> None:
    log(logging.getLogger("chorus.test"), "login", user="a" * 10_000)
    assert len(caplog.messages[0]) < 300
