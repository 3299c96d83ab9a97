"""What is said on the notifications socket."""

from typing import Any

import pytest

from notifications import events
from realtime.protocol import Refused, validate


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("topics", {"topics": []}),
        ("topics", {"topics": "alerts"}),
        ("topics", {}),
        ("topics.0", {"topics": [5]}),
        ("topics.0", {"topics": [""]}),
        ("topics.1", {"topics": ["a", "x" * 152]}),
        ("since", {"topics": ["a"], "since": 5}),
        ("since", {"topics": ["a"], "since": {"a": 5}}),
        ("since", {"topics": ["a"], "since": {"a": {"seq": -1}}}),
        ("since", {"topics": ["a"], "since": "seen"}),
    ],
)
def test_what_cannot_be_subscribed_to_is_told_by_field(field: str, given: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        validate(events.Subscribe, given)
    assert caught.value.code == "invalid"
    assert all(name.startswith(field) for name in caught.value.fields or ["?"])


@pytest.mark.parametrize("since", [None, "acked", {}, {"a": {"seq": 0}}, {"a": {"seq": 5, "epoch": "k3f9"}}])
def test_where_a_subscription_may_begin(since: Any) -> None:
    assert validate(events.Subscribe, {"topics": ["a"], "since": since}).topics == ["a"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"message": ""},
        {"message": 5},
        {"message": "a\x00"},
        {"topic": ""},
        {"topic": None},
        {"title": "x" * 201},
        {"title": "a\x00"},
        {"priority": 0},
        {"priority": 6},
        {"priority": "5"},
        {"priority": 1.5},
        {"priority": True},
        {"tags": "disk"},
        {"tags": [""]},
        {"tags": ["x" * 33]},
        {"tags": ["x"] * 11},
        {"tags": [5]},
        {"id": 5},
        {"id": "x" * 65},
    ],
)
def test_what_cannot_be_published_is_told_by_field(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        validate(events.Publish, {"topic": "alerts", "message": "Hi", **wrong})
    assert caught.value.code == "invalid"
    assert {name.partition(".")[0] for name in caught.value.fields or ()} == wrong.keys()


@pytest.mark.parametrize("seq", [-1, "5", 1.5, None, 2**63])
def test_what_cannot_be_acknowledged_is_told_by_field(seq: object) -> None:
    with pytest.raises(Refused) as caught:
        validate(events.Acknowledge, {"topic": "alerts", "seq": seq})
    assert list(caught.value.fields or ()) == ["seq"]
