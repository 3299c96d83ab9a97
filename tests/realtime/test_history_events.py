"""What the socket of any history says: types that an app may take as they are, or derive from to name its entries."""

from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from pydantic import ValidationError

from realtime import history_events as events
from realtime.history_events import EntryEvent, Joined
from realtime.protocol import Command, Event, Refused, validate

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
EVENTS = [each for each in vars(events).values() if isinstance(each, type) and issubclass(each, Event)]


class Put(EntryEvent):
    """Something of an app."""

    type: Literal["put"] = "put"
    what: str


@pytest.mark.parametrize("value", [{}, {"before": 1, "limit": 300}, {"before": None}])
def test_history_may_be_asked_for(value: dict[str, Any]) -> None:
    assert validate(events.History, value).limit in {50, 300}


@pytest.mark.parametrize(
    ("command", "value"),
    [
        (events.History, {"limit": 301}),
        (events.History, {"before": 0}),
        (events.Delete, {}),
        (events.Delete, {"seq": 0}),
    ],
)
def test_what_may_not_be_asked(command: type[Command], value: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        validate(command, value)


def test_an_entry_is_told_without_what_it_has_not() -> None:
    told = Put(what="x", seq=1, sender="alice", timestamp=NOON, target=None).encode()
    assert told == '{"type":"put","seq":1,"sender":"alice","timestamp":"2026-05-04T12:00:00Z","what":"x"}'


def test_a_tombstone_is_of_the_type_that_it_stands_for() -> None:
    tombstone = events.Tombstone(type="put", seq=1, sender="alice", timestamp=NOON)
    assert tombstone.model_dump(exclude_none=True) == {
        "type": "put",
        "seq": 1,
        "deleted": True,
        "sender": "alice",
        "timestamp": NOON,
    }


@pytest.mark.parametrize("event", [Joined, events.Replay, events.HistoryEvent])
def test_entries_are_the_last_field(event: type[Event]) -> None:
    assert list(event.model_fields)[-1] == "messages"


def test_what_is_missing_is_told_where_the_event_is_made() -> None:
    with pytest.raises(ValidationError):
        Put.model_validate({"seq": 1})
