"""Values that a client sent: what an integer is among them, and what is wrong, told in few words however much it is."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, to_json

MAX_PROBLEMS = 10
"""Problems that one error tells."""
MAX_BYTES = 3500
"""Bytes of JSON that they take, each told by field and in the message; an error stays below 4096."""
LENGTH = re.compile(r"Value should have (at (?:most|least) \d+) items? after validation, not \d+")
"""What Pydantic says of the length of a text that it has looked at already."""
MAX_NAME, MAX_MESSAGE = 60, 200
"""Characters of a field's name, which a client may have made up, and of what is wrong with it."""


def brief(text: str, characters: int) -> str:
    """The beginning of a text that is too long to be repeated."""
    return text if len(text) <= characters else f"{text[: characters - 1]}…"


def integers(value: Any) -> Any:
    """A JSON value whose numbers without a fraction are integers (JSON Schema 2020-12, validation §6.1.1)."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {name: integers(each) for name, each in value.items()}
        case list():
            return [integers(each) for each in value]
    return value


def problems_of(error: ValidationError) -> list[ErrorDetails]:
    """What Pydantic found, without what was sent."""
    return error.errors(include_url=False, include_context=False, include_input=False)


def told(errors: Iterable[Mapping[str, Any]], *, whole_path: bool = True) -> tuple[dict[str, str], str]:
    """Pydantic's errors as what is wrong by field, and in one line; the first of them, if they are many.

    A field is named by its path (`tags.0`), or by the end of it.
    """
    found: dict[str, str] = {}
    for error in errors:
        path = error["loc"] if whole_path else error["loc"][-1:]
        name = brief(".".join(str(part) for part in path), MAX_NAME)
        message = LENGTH.sub(r"String should have \1 characters", error["msg"].removeprefix("Value error, "))
        found[name] = brief(message, MAX_MESSAGE)
    fields: dict[str, str] = {}
    size = 0
    for name, message in found.items():
        size += 2 * (len(to_json(name)) + len(to_json(message)))
        if len(fields) == MAX_PROBLEMS or (fields and size > MAX_BYTES):
            break
        fields[name] = message
    more = len(found) - len(fields)
    summary = "; ".join(f"{name}: {message}" for name, message in fields.items())
    return fields, f"{summary}; and {more} more" if more else summary
