"""What processes let one another know: typed here, plain values between them."""

import json
from dataclasses import dataclass

import pytest

from realtime.connections.control import Disconnect, LookAgain, Who
from realtime.hub.subscription import UnstoredEvent
from realtime.processes.notices import Notice, read_notice
from realtime.processes.presence import ShareWritten
from realtime.streams.batch import Batch, Stored

NOTICES = [
    Batch("chat.room:5", "epoch", 1, 2, [Stored(1, "chat", "{}"), Stored(2, "deleted", "{}", rewrites=True)]),
    UnstoredEvent("typing", '{"type":"typing"}', "user:1"),
    ShareWritten(),
    LookAgain(["7"], ["chat.room:5"], everyone=False),
    Disconnect({"user": "7"}, 4503, "out"),
    Who(matches={"user": "7"}, text="ali", reply="chorus.reply.1", but="origin"),
]


@pytest.mark.parametrize("notice", NOTICES, ids=lambda notice: notice.tag)
def test_a_notice_is_plain_values_and_comes_back_as_it_was(notice: Notice) -> None:
    assert read_notice(json.loads(json.dumps(notice.to_item()))) == notice


def test_tags_are_each_notice_s_own() -> None:
    assert len({notice.tag for notice in NOTICES}) == len(NOTICES)


@pytest.mark.parametrize("item", [{"t": "something new", "v": 1}, {"t": "kick", "v": 2}])
def test_what_is_not_known_here_is_none(item: dict[str, object]) -> None:
    assert read_notice(item) is None


def test_before_notices_had_versions_they_were_of_the_first() -> None:
    kick = {"t": "kick", "matches": {"user": "7"}, "code": 4503, "reason": "out"}
    assert read_notice(kick) == Disconnect({"user": "7"}, 4503, "out")


def test_fields_that_a_newer_process_adds_are_passed_over() -> None:
    assert read_notice({"t": "presence", "v": 1, "colour": "red"}) == ShareWritten()


@pytest.mark.parametrize("item", [{}, {"t": "kick", "v": 1, "code": 4503}])
def test_what_is_no_notice_is_an_error(item: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError)):
        read_notice(item)


def test_one_that_is_made_elsewhere_is_known_by_its_tag() -> None:
    @dataclass(frozen=True, slots=True)
    class Greeting(Notice):
        tag = "greeting of a test"

        text: str

    assert read_notice({"t": "greeting of a test", "v": 1, "text": "hi"}) == Greeting("hi")
