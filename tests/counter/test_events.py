"""What is said on a counter's socket."""

import pytest

from counter import events
from realtime.protocol import Refused, validate


@pytest.mark.parametrize("delta", [1, -1, 1_000_000, -1_000_000])
def test_what_can_be_added(delta: int) -> None:
    assert validate(events.Add, {"action": "add", "delta": delta}).delta == delta


@pytest.mark.parametrize("delta", [0, 1_000_001, -1_000_001, "5", 0.0, 1.5, True, None, 10**30, [5]])
def test_what_cannot_be_added_is_told_by_field(delta: object) -> None:
    with pytest.raises(Refused) as caught:
        validate(events.Add, {"action": "add", "delta": delta})
    assert (caught.value.code, list(caught.value.fields or ())) == ("invalid", ["delta"])


def test_a_delta_may_not_be_left_out() -> None:
    with pytest.raises(Refused):
        validate(events.Add, {"action": "add"})


def test_an_ack_says_that_it_is_a_duplicate_only_if_it_is() -> None:
    assert events.Ack(id="7", value=1, version=2).encode() == '{"type":"ack","id":"7","value":1,"version":2}'
    assert events.Ack(id="7", value=1, version=2, duplicate=True).encode().endswith(',"duplicate":true}')
