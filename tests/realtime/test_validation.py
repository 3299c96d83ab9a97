"""What is wrong with what a client sent, in few words."""

from typing import Any

import pytest

from realtime.protocol import ErrorEvent, Refused
from realtime.validation import MAX_PROBLEMS, brief, integers, told


def wrong(*path: str | int, message: str = "Field required") -> dict[str, Any]:
    return {"loc": path, "msg": message}


def test_each_field_is_named_by_its_path() -> None:
    fields, summary = told([wrong("tags", 0), wrong("text", message="Value error, too short")])
    assert fields == {"tags.0": "Field required", "text": "too short"}
    assert summary == "tags.0: Field required; text: too short"


def test_or_by_the_end_of_it() -> None:
    assert told([wrong("query", "limit")], whole_path=False)[0] == {"limit": "Field required"}


def test_the_length_of_a_text_is_told_as_one() -> None:
    message = "Value should have at most 64 items after validation, not 900000"
    assert told([wrong("id", message=message)])[1] == "id: String should have at most 64 characters"


def test_of_many_the_first_ten_are_told() -> None:
    fields, summary = told(wrong("topics", index) for index in range(1000))
    assert list(fields) == [f"topics.{index}" for index in range(MAX_PROBLEMS)]
    assert summary.endswith("; and 990 more")


@pytest.mark.parametrize("character", ["a", "é", "🎉", "\x01", '"'])
def test_an_error_is_never_longer_than_4_kb(character: str) -> None:
    problems = [wrong(f"{index}{character * 1000}", message=character * 1000) for index in range(1000)]
    fields, summary = told(problems)
    event = ErrorEvent.of(Refused("invalid", f"Invalid subscribe: {summary}", fields=fields), character * 64)
    assert fields
    assert len(event.encode().encode()) <= 4096


def test_a_long_text_is_cut() -> None:
    assert brief("abc", 3) == "abc"
    assert brief("abcd", 3) == "ab…"


def test_a_number_without_a_fraction_is_an_integer() -> None:
    found = integers({"a": [5.0, -0.0, {"b": 1e3}], "c": 5.5, "d": "5.0", "e": True, "f": None})
    assert found == {"a": [5, 0, {"b": 1000}], "c": 5.5, "d": "5.0", "e": True, "f": None}
    assert [type(each) for each in found["a"][:2]] == [int, int]


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_what_is_no_number_at_all_stays(number: float) -> None:
    assert isinstance(integers(number), float)
