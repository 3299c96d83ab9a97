"""docs/protocol.md says what the code does: its transcripts, tables and numbers are held to the models."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError

import chat.events
import chat.routing
import counter.events
import counter.routing
import notifications.events
import notifications.routing
from config.checks import CONFS
from realtime.conf import variable
from realtime.protocol import Auth, AuthResult, CloseCode, Command, ErrorCode, ErrorEvent, Event, Ping, Pong
from realtime.routing import registered

PAGE = (Path(__file__).parent.parent / "docs" / "protocol.md").read_text()
EVENTS: tuple[type[Event], ...] = (
    *chat.events.EVENTS,
    *counter.events.EVENTS,
    *notifications.events.EVENTS,
    ErrorEvent,
    AuthResult,
    Pong,
)
COMMANDS: tuple[type[Command], ...] = (
    *chat.events.COMMANDS,
    *counter.events.COMMANDS,
    *notifications.events.COMMANDS,
    Auth,
    Ping,
)
PATTERNS = [
    *chat.routing.websocket_urlpatterns,
    *counter.routing.websocket_urlpatterns,
    *notifications.routing.websocket_urlpatterns,
]


def transcript_lines(arrows: str) -> list[str]:
    """What follows one of these arrows in the page's fenced blocks."""
    blocks = re.findall(r"^```\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert all(line.startswith(("→ ", "← ", "⇐ ")) for line in lines)
    return [line[2:] for line in lines if line[0] in arrows]


SENT = [line for line in transcript_lines("→") if line.startswith("{")]
TOLD = [line for line in transcript_lines("←⇐") if line.startswith("{")]


def kind(model: type[Event] | type[Command]) -> str:
    """The `type` of an event, the `action` of a command."""
    field = "type" if issubclass(model, Event) else "action"
    return str(model.model_fields[field].default)


def model_of(line: str, models: tuple[type[Any], ...], named: str) -> type[Any]:
    """Find the model that a line claims to be an example of."""
    claimed = json.loads(line).get(named, "auth")
    found = [model for model in models if kind(model) == claimed and fits(model, line)]
    assert len(found) == 1, f"{line} is no {claimed}"
    return found[0]


def fits(model: type[Any], line: str) -> bool:
    """Tell whether a line is such an event or command, with nothing in it that the model does not know."""
    try:
        model.model_validate_json(line, strict=True, extra="forbid")
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("line", TOLD)
def test_every_event_in_a_transcript_is_one_of_the_code(line: str) -> None:
    model_of(line, EVENTS, "type")


@pytest.mark.parametrize("line", SENT)
def test_every_command_in_a_transcript_is_one_of_the_code(line: str) -> None:
    model_of(line, COMMANDS, "action")


@pytest.mark.parametrize("model", [*EVENTS, *COMMANDS], ids=lambda model: model.__name__)
def test_every_event_and_command_is_shown_with_all_its_fields(model: type[Any]) -> None:
    lines, models, named = (TOLD, EVENTS, "type") if issubclass(model, Event) else (SENT, COMMANDS, "action")
    shown = {field for line in lines if model_of(line, models, named) is model for field in json.loads(line)}
    # These two go with any command, as the page says once for all.
    assert set(model.model_fields) - {"id", "duplicate"} <= shown


def first_column(heading: str) -> set[str]:
    """What the table below a heading has rows for."""
    section = f"\n{PAGE}".partition(f"\n{heading}\n")[2].partition("\n#")[0]
    return set(re.findall(r"^\| `?([^|`]+?)`? \|", section, re.MULTILINE)[2:])


def test_the_table_of_routes_is_that_of_the_code() -> None:
    paths = set()
    for pattern in PATTERNS:
        path = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", str(pattern.pattern))
        paths.add("/" + path.removeprefix("^").removesuffix("/?$") + "/")
    assert first_column("# Protocol") == paths


def test_every_route_of_the_pages_is_on_the_page() -> None:
    for route in registered():
        assert any(re.match(str(pattern.pattern), route.path[1:]) for pattern in PATTERNS)


def test_the_table_of_errors_is_that_of_the_code() -> None:
    assert first_column("### Errors") == set(get_args(ErrorCode))


def test_the_table_of_close_codes_is_that_of_the_code() -> None:
    on_page = {int(code) for code in first_column("### Close codes")}
    assert set(CloseCode) <= on_page
    # 1001 is a browser's; 1007 the WebSocket library's, before a message reaches the code.
    assert on_page - set(CloseCode) == {1001, 1007}


SETTINGS = {variable(field): info.default for conf in CONFS for field, info in conf.model_fields.items()}


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_on_the_page_with_its_default(name: str) -> None:
    default = SETTINGS[name]
    assert re.search(rf"`{name}` (\| {default} \||\(`?{default}`?\))", PAGE)


def test_no_setting_on_the_page_is_unknown() -> None:
    assert set(re.findall(r"CHORUS_\w+", PAGE)) <= SETTINGS.keys()
