"""The ids of events by which a reader of several topics resumes."""

from typing import Any

import pytest

from notifications.events import Cursor
from notifications.positions import Positions
from realtime.protocol import Refused


def subscribed(*, recovered: bool = True, **seqs: int) -> dict[str, Any]:
    streams = {name: {"seq": seq, "epoch": "e1", "recovered": recovered} for name, seq in seqs.items()}
    return {"type": "subscribed", "topics": list(seqs), "streams": streams}


def told(topic: str, seq: int) -> dict[str, Any]:
    return {"type": "notification", "topic": topic, "seq": seq}


def test_an_id_has_the_position_in_every_topic() -> None:
    positions = Positions({})
    assert positions.after(subscribed(a=3, b=7)) == "a=3.e1&b=7.e1"
    assert positions.after(told("b", 8)) == "a=3.e1&b=8.e1"


def test_what_was_missed_is_not_yet_reached() -> None:
    positions = Positions({"a": Cursor(seq=1, epoch="e1")})
    assert positions.after(subscribed(a=3)) == "a=1.e1"


def test_what_is_not_recovered_begins_before_all() -> None:
    positions = Positions({"a": Cursor(seq=9, epoch="e0")})
    assert positions.after(subscribed(a=3, recovered=False)) == "a=0.e1"


def test_what_is_not_stored_has_no_id() -> None:
    assert Positions({}).after({"type": "notification", "topic": "system"}) is None


def test_an_id_is_read_back() -> None:
    assert Positions.read("a=3.e1&%40b=7.e2") == {
        "a": Cursor(seq=3, epoch="e1"),
        "@b": Cursor(seq=7, epoch="e2"),
    }


@pytest.mark.parametrize("id", ["x", "a=x", "a=-1.e", "a=99999999999999999999.e", "="])
def test_what_is_no_id_is_invalid(id: str) -> None:
    with pytest.raises(Refused, match="Last-Event-ID"):
        Positions.read(id)
