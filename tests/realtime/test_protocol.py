"""What is said on a JSON route, before any socket is involved."""

import json
import time
from contextlib import suppress
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from realtime.protocol import (
    CloseCode,
    Command,
    ErrorEvent,
    Event,
    Refused,
    Sequence,
    client_id,
    is_object,
    parse_object,
    validate,
)
from realtime.texts import PersonText


class Say(Command):
    action: Literal["say"] = "say"
    text: Annotated[PersonText, Field(min_length=1, max_length=10)]
    seq: Sequence = 0


class Said(Event):
    type: Literal["said"] = "said"
    text: str
    note: str | None = None


def refusal_of(text: str) -> Refused:
    with pytest.raises(Refused) as caught:
        parse_object(text)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "hello",
        '{"a": 1}}',
        "{'a': 1}",
        '{"a": 1,}',
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": -Infinity}',
        '{"a": "\x00"}',
        '{"a": "\n"}',
        r'{"a": "\ud800"}',
        r'{"a": "\udc00\ud800"}',
        r'{"\ud800": 1}',
        '{"a": 01}',
        '{"a":' * 100_000 + "1" + "}" * 100_000,
        '{"a":' + "[" * 100_000,
    ],
)
def test_what_is_not_json_is_refused(text: str) -> None:
    assert refusal_of(text).code == "bad_json"


@pytest.mark.parametrize("text", ["[]", "1", '"text"', "null", "true"])
def test_what_is_no_object_is_refused(text: str) -> None:
    assert refusal_of(text).code == "bad_json"


def test_of_a_name_given_twice_the_last_counts() -> None:
    assert parse_object('{"a": 1, "a": 2}') == {"a": 2}


def test_surrogate_pairs_are_a_character() -> None:
    assert parse_object(r'{"a": "\ud83c\udf89"}') == {"a": "🎉"}


def test_a_number_of_many_digits_costs_no_time() -> None:
    started = time.perf_counter()
    with pytest.raises(Refused):
        validate(Say, parse_object('{"action":"say","text":"x","seq":' + "9" * 500_000 + "}"))
    assert time.perf_counter() - started < 1


@given(st.text())
def test_no_text_does_worse_than_being_refused(text: str) -> None:
    with suppress(Refused):
        assert isinstance(parse_object(text), dict)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON))
def test_every_object_is_read_as_python_reads_it(value: dict[str, Any]) -> None:
    assert parse_object(json.dumps(value)) == value


@given(st.dictionaries(st.sampled_from(["id", "text", "seq", "action", "other"]), JSON))
def test_no_object_does_worse_than_being_invalid(value: dict[str, Any]) -> None:
    told: ErrorEvent | None = None
    try:
        validate(Say, value)
    except Refused as refusal:
        told = ErrorEvent.of(refusal)
    assert told is None or told.encode().startswith('{"type":"error","code":"invalid"')


def test_a_command_is_read_with_its_types() -> None:
    assert validate(Say, {"action": "say", "text": "hi", "id": "1"}) == Say(text="hi", id="1")


def test_unknown_fields_are_ignored() -> None:
    assert validate(Say, {"text": "hi", "colour": "red"}) == Say(text="hi")


def test_each_wrong_field_is_named() -> None:
    with pytest.raises(Refused) as caught:
        validate(Say, {"action": "say", "text": "", "seq": -1, "id": ""})
    assert caught.value.code == "invalid"
    assert sorted(caught.value.fields or {}) == ["id", "seq", "text"]
    assert caught.value.message.startswith("Invalid say: ")


@pytest.mark.parametrize("seq", ["1", 1.5, 1e300, float("inf"), True, None, 2**63, -1, []])
def test_a_position_is_a_whole_number_and_nothing_that_looks_like_one(seq: object) -> None:
    with pytest.raises(Refused) as caught:
        validate(Say, {"text": "hi", "seq": seq})
    assert sorted(caught.value.fields or {}) == ["seq"]


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\x1f"])
def test_control_characters_are_refused(character: str) -> None:
    with pytest.raises(Refused) as caught:
        validate(Say, {"text": f"a{character}b"})
    assert (caught.value.fields or {})["text"].startswith("control characters")


def test_tabs_and_line_breaks_are_text() -> None:
    assert validate(Say, {"text": "a\tb\r\nc"}).text == "a\tb\r\nc"


@pytest.mark.parametrize("value", [5, None, ["x"], {}, "", "x" * 65])
def test_an_id_that_is_none_is_not_repeated(value: object) -> None:
    assert client_id({"id": value}) is None


def test_an_error_repeats_the_id_and_leaves_out_what_it_does_not_know() -> None:
    event = ErrorEvent.of(Refused("not_found", "No."), client_id({"id": "7"}))
    assert json.loads(event.encode()) == {"type": "error", "code": "not_found", "message": "No.", "id": "7"}


def test_an_error_carries_fields_and_the_time_to_wait() -> None:
    event = ErrorEvent.of(Refused("invalid", "No.", fields={"text": "too short"}, retry_after=0.5))
    assert event.fields == {"text": "too short"}
    assert event.retry_after == 0.5


def test_an_event_is_compact_json_without_what_is_none() -> None:
    assert Said(text="Grüße").encode() == '{"type":"said","text":"Grüße"}'


def test_close_codes_are_those_of_the_page() -> None:
    assert {code.name: int(code) for code in CloseCode} == {
        "DONE": 1000,
        "UNSUPPORTED_DATA": 1003,
        "POLICY": 1008,
        "TOO_BIG": 1009,
        "INTERNAL": 1011,
        "RESTARTING": 1012,
        "TRY_LATER": 1013,
        "SLOW_READER": 4000,
        "RATE": 4003,
        "BAD_NAME": 4500,
        "REVOKED": 4503,
        "NO_SUCH_STREAM": 4504,
        "NOT_ALLOWED": 4506,
    }


@pytest.mark.parametrize("lead", ["", "\n", "\r\n\t ", "\ufeff", "\ufeff\n "])
def test_what_may_stand_before_json_is_skipped(lead: str) -> None:
    assert is_object(lead + '{"a": 1}')
    assert parse_object(lead + '{"a": 1}') == {"a": 1}


@pytest.mark.parametrize("text", ["", " ", "hello {", "\x00{}", "\u00a0{}", "[{}]"])
def test_any_other_text_is_no_object(text: str) -> None:
    assert not is_object(text)


@pytest.mark.parametrize("seq", ["5.0", "5", "5e0", "0.5e1"])
def test_a_number_without_a_fraction_is_an_integer_however_it_is_written(seq: str) -> None:
    said = validate(Say, parse_object(f'{{"action": "say", "text": "hi", "seq": {seq}}}'))
    assert said.seq == 5
    assert isinstance(said.seq, int)


@pytest.mark.parametrize("seq", ["5.5", "1e300", "1e400", "-1.0", "9007199254740993.5e9"])
def test_any_other_is_none(seq: str) -> None:
    with pytest.raises(Refused) as caught:
        validate(Say, parse_object(f'{{"action": "say", "text": "hi", "seq": {seq}}}'))
    assert caught.value.code in {"invalid", "bad_json"}
