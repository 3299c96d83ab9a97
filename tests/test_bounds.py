"""Whatever a client may send has a bound: every text, list and object in every command, body and query."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from config.api import api
from realtime.protocol import Command


def commands(model: type[Command] = Command) -> Iterator[type[Command]]:
    """All commands of the apps, whichever route takes them."""
    for found in model.__subclasses__():
        if not found.__module__.startswith(("tests.", "examples.")):
            yield found
        yield from commands(found)


def unbounded(schema: Any, path: str = "") -> Iterator[str]:
    """Where a JSON Schema lets in a text, a list or an object of any size."""
    if isinstance(schema, dict):
        if not has_bound(schema):
            yield path
        for name, each in schema.items():
            yield from unbounded({"type": "string", **each} if name == "propertyNames" else each, f"{path}/{name}")
    elif isinstance(schema, list):
        for index, each in enumerate(schema):
            yield from unbounded(each, f"{path}/{index}")


def has_bound(schema: dict[str, Any]) -> bool:
    """Tell whether what a schema says of its own value, if that has a size, bounds it."""
    match schema.get("type"):
        case "string":
            return bool({"maxLength", "enum", "const"} & schema.keys()) or is_bounded(schema.get("pattern"))
        case "array":
            return "maxItems" in schema
        case "object":
            return bool({"maxProperties", "properties"} & schema.keys())
    return True


def is_bounded(pattern: str | None) -> bool:
    """Tell whether a pattern is of a whole text and repeats nothing without an end."""
    if pattern is None:
        return False
    outside = re.sub(r"\[(?:[^\]\\]|\\.)*\]", "", pattern)
    return pattern.startswith("^") and pattern.endswith("$") and not re.search(r"[*+]|,\}", outside)


COMMANDS = {f"{model.__module__}.{model.__qualname__}": model for model in commands()}


def test_commands_are_found() -> None:
    assert COMMANDS.keys() >= {
        "realtime.protocol.Auth",
        "realtime.history_events.History",
        "accounts.api.NewToken",
        "chat.events.Send",
        "counter.events.Add",
        "notifications.events.Subscribe",
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_bounded(name: str) -> None:
    assert list(unbounded(COMMANDS[name].model_json_schema())) == []


OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in api.get_openapi_schema()["paths"].items()
    for method, operation in methods.items()
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_request_is_bounded(name: str) -> None:
    operation = OPERATIONS[name]
    asked = [each["schema"] for each in operation.get("parameters", ()) if each["in"] != "header"]
    assert list(unbounded([asked, operation.get("requestBody", {})])) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"type": "string", "pattern": "^a*$"},
        {"type": "string", "pattern": "a{1,9}"},
        {"type": "array", "items": {"type": "integer"}},
        {"type": "array", "maxItems": 3, "items": {"type": "string"}},
        {"type": "object", "additionalProperties": {"type": "integer"}},
        {"type": "object", "properties": {"name": {"anyOf": [{"type": "null"}, {"type": "string"}]}}},
    ],
)
def test_what_has_no_bound_is_found(schema: dict[str, Any]) -> None:
    assert list(unbounded(schema))


@pytest.mark.parametrize("pattern", ["^[a-z*]{0,63}$", "^(a|@[^,+]{1,150})$"])
def test_a_pattern_may_be_a_bound(pattern: str) -> None:
    assert not list(unbounded({"type": "string", "pattern": pattern}))
