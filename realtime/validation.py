"""What is wrong with something a client sent, told in few words however much of it is wrong."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import to_json

MAX_PROBLEMS = 10
"""Problems that one error tells."""
MAX_BYTES = 3500
"""Bytes of JSON that they take, each told by field and in the message; an error stays below 4096."""
MAX_NAME, MAX_MESSAGE = 60, 200
"""Characters of a field's name, which a client may have made up, and of what is wrong with it."""


def brief(text: str, characters: int) -> str:
    """The beginning of a text that is too long to be repeated."""
    return text if len(text) <= characters else f"{text[: characters - 1]}…"


def told(errors: Iterable[Mapping[str, Any]], *, whole_path: bool = True) -> tuple[dict[str, str], str]:
    """Pydantic's errors as what is wrong by field, and in one line; the first of them, if they are many.

    A field is named by its path (`tags.0`), or by the end of it.
    """
    found: dict[str, str] = {}
    for error in errors:
        path = error["loc"] if whole_path else error["loc"][-1:]
        name = brief(".".join(str(part) for part in path), MAX_NAME)
        found[name] = brief(error["msg"].removeprefix("Value error, "), MAX_MESSAGE)
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
