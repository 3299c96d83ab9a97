"""What the API says of itself."""

import asyncio
import time
from typing import Any

import pytest
from django.test import AsyncClient
from django.test.utils import override_script_prefix
from pytest_django import Settings

from chat import events as chat_events
from config.api import RECENT_SECONDS, api, protocol_schema, recent_numbers
from tests.ask import ask
from tests.processes import BASE_DIR

pytestmark = pytest.mark.django_db(transaction=True)


def resolved(name: str, kind: str, app: str) -> dict[str, Any]:
    schema = protocol_schema()
    reference: str = schema["apps"][app][kind][name]["$ref"]
    found: dict[str, Any] = schema["$defs"][reference.removeprefix("#/$defs/")]
    return found


async def test_the_protocol_is_open_to_everybody() -> None:
    answer = await ask("GET", "/api/protocol.json")
    assert answer.json["apps"].keys() == {"realtime", "chat", "counter", "notifications"}


@pytest.mark.parametrize("app", ["realtime", "chat", "counter", "notifications"])
def test_every_command_and_event_is_in_it(app: str) -> None:
    spoken = protocol_schema()["apps"][app]
    assert spoken["commands"]
    assert spoken["events"]


def test_a_ping_and_its_answer_are_said_on_every_route() -> None:
    assert resolved("ping", "commands", "realtime")["properties"].keys() == {"action", "id"}
    assert resolved("pong", "events", "realtime")["properties"].keys() == {"type", "id"}


def test_a_command_needs_what_has_no_default() -> None:
    assert resolved("send", "commands", "chat")["required"] == ["text"]


def test_an_event_has_all_that_is_never_left_out() -> None:
    assert resolved("joined", "events", "chat")["required"][0] == "type"
    assert "id" not in resolved("history", "events", "chat")["required"]


def test_two_shapes_of_one_event_are_both_there() -> None:
    shapes = protocol_schema()["apps"]["chat"]["events"]["chat"]["anyOf"]
    assert len(shapes) == len([e for e in chat_events.EVENTS if e.model_fields["type"].default == "chat"])


async def test_the_status_has_live_numbers() -> None:
    status = (await ask("GET", "/api/status")).json
    assert status["name"] == "Chorus"
    assert status["connections"] == 0
    assert (await ask("HEAD", "/api/status")).status == 200


def test_every_operation_says_what_it_does() -> None:
    paths = api.get_openapi_schema()["paths"]
    assert all(operation["description"] for methods in paths.values() for operation in methods.values())


def test_a_guest_may_ask_everything_but_to_revoke_a_token() -> None:
    paths = api.get_openapi_schema()["paths"]
    needed = [
        (method, path)
        for path, methods in paths.items()
        for method, operation in methods.items()
        if {} not in operation.get("security", [{}])
    ]
    assert needed == [("delete", "/api/token/")]


def test_no_two_schemas_share_a_name() -> None:
    schemas = api.get_openapi_schema()["components"]["schemas"]
    assert "topic" not in schemas["Tombstone"]["properties"]


def test_the_page_has_every_operation() -> None:
    page = (BASE_DIR / "docs" / "http.md").read_text()
    for path, methods in api.get_openapi_schema()["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path.replace('{', '<').replace('}', '>')}`" in page


async def test_the_pages_about_it_come_from_this_site() -> None:
    page = (await AsyncClient().get("/api/docs")).content.decode()
    assert "swagger-ui" in page
    assert "//cdn" not in page


PUBLIC = ["/api/status", "/api/protocol.json", "/api/openapi.json", "/api/docs"]


@pytest.mark.parametrize("path", PUBLIC)
async def test_what_needs_no_login_is_counted_too(path: str, settings: Settings) -> None:
    settings.CHORUS_COMMAND_RATE, settings.CHORUS_COMMAND_BURST = 0.1, 2
    *_, second, third = [await ask("GET", path) for _ in range(3)]
    assert second.status == 200
    assert third.error == (429, "rate_limited")
    assert int(third.response["Retry-After"]) > 0


@pytest.mark.parametrize("path", ["/api/protocol.json", "/api/openapi.json"])
async def test_what_is_always_the_same_is_made_once(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await ask("GET", path)
    monkeypatch.setattr("config.api.protocol_schema", None)
    monkeypatch.setattr(api, "get_openapi_schema", None)
    again = await ask("GET", path)
    assert again.response.content == first.response.content
    assert again.response["Content-Type"].startswith("application/json")


async def test_the_schema_has_the_addresses_of_whoever_asks() -> None:
    at_the_top = (await ask("GET", "/api/openapi.json")).response.content
    with override_script_prefix("/chorus/"):
        below = (await ask("GET", "/api/openapi.json")).response.content
    assert (b'"/api/me"' in at_the_top, b'"/chorus/api/me"' in below) == (True, True)


async def test_however_many_ask_for_the_numbers_they_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def counted() -> dict[str, int]:
        asked.append(1)
        return {"rooms": len(asked)}

    monkeypatch.setattr("config.api.numbers", counted)
    found = await asyncio.gather(*(recent_numbers() for _ in range(5)))
    assert found == [{"rooms": 1}] * 5
    later = time.monotonic() + RECENT_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert await recent_numbers() == {"rooms": 2}
