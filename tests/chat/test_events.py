"""What is said in a chat room: the types, apart from any socket."""

from typing import Any

import pytest
from pydantic import BaseModel

from chat import events
from chat.consumers import ChatConsumer
from realtime import history_events
from realtime.protocol import Command, Event, Refused, validate


def test_every_command_has_a_method_and_every_method_a_command() -> None:
    handled = {action: model for action, (model, _) in ChatConsumer.commands.items()}
    assert handled == {model.model_fields["action"].default: model for model in events.COMMANDS}


@pytest.mark.parametrize("module_part", [Command, Event])
def test_every_model_is_listed(module_part: type[BaseModel]) -> None:
    listed = {*events.COMMANDS, *events.EVENTS}
    defined = [
        found
        for found in vars(events).values()
        if isinstance(found, type) and issubclass(found, module_part) and found.__module__ == events.__name__
        if not found.__name__.startswith("_")
    ]
    assert defined
    assert listed.issuperset(defined)


@pytest.mark.parametrize("model", [*events.COMMANDS, *events.EVENTS], ids=lambda model: model.__name__)
def test_every_model_has_a_schema_and_says_what_it_is(model: type[BaseModel]) -> None:
    schema = model.model_json_schema()
    assert schema["description"]
    tag = schema["properties"].get("type") or schema["properties"]["action"]
    assert tag["const"] == tag["default"]


@pytest.mark.parametrize(
    ("model", "value"),
    [
        (events.Send, {"text": "Hi"}),
        (events.Send, {"action": "send", "text": "\tx", "id": "x" * 64}),
        (history_events.History, {}),
        (history_events.History, {"before": 1, "limit": 300}),
        (history_events.History, {"before": None}),
        (history_events.Delete, {"seq": 2**63 - 1}),
        (events.Typing, {"anything": [1]}),
    ],
)
def test_what_a_client_may_send(model: type[Command], value: dict[str, Any]) -> None:
    assert validate(model, value).action == model.model_fields["action"].default


@pytest.mark.parametrize(
    ("model", "value", "field"),
    [
        (events.Send, {}, "text"),
        (events.Send, {"text": ""}, "text"),
        (events.Send, {"text": None}, "text"),
        (events.Send, {"text": "\x00"}, "text"),
        (events.Send, {"text": "Hi", "action": "delete"}, "action"),
        (history_events.History, {"limit": 301}, "limit"),
        (history_events.History, {"before": True}, "before"),
        (history_events.Delete, {}, "seq"),
        (history_events.Delete, {"seq": 0}, "seq"),
        (history_events.Delete, {"seq": 2**63}, "seq"),
    ],
)
def test_what_a_client_may_not_send(model: type[Command], value: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        validate(model, value)
    assert list(refused.value.fields or {}) == [field]
