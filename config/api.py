"""This site's HTTP API: what each app offers, the server's status, and the sockets' protocol."""

import asyncio
import json
import time
from collections.abc import Iterable
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from pydantic import ConfigDict
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

import accounts.api
import chat.api
import chat.events
import counter.api
import counter.events
import notifications.api
import notifications.events
from realtime import db
from realtime.http import ERRORS, count_request, network_of
from realtime.hub.hub import connection_count
from realtime.per_loop import PerLoop
from realtime.protocol import Auth, AuthResult, Command, ErrorEvent, Event, Payload, Ping, Pong
from realtime.views import numbers, version

RECENT_SECONDS = 1.0

api = NinjaAPI(
    title="Chorus",
    version=version(),
    description="Rooms, counters and notifications over HTTP, by the same rules as on the sockets.",
    urls_namespace="api",
    auth=accounts.api.authentication,
)
api.add_router("", accounts.api.router)
api.add_router("chat/", chat.api.router)
api.add_router("counter/", counter.api.router)
api.add_router("notifications/", notifications.api.router)


class Numbers(Payload):
    """What runs here, and live numbers."""

    model_config = ConfigDict(extra="allow")

    name: str
    version: str
    connections: int
    """Sockets open in the process that answers."""


@api.api_operation(["GET", "HEAD"], "/status", auth=None, response={200: Numbers, **ERRORS}, tags=["Site"])
async def status(request: HttpRequest) -> HttpResponse:
    """Name, version and live numbers."""
    count_request(network_of(request))
    told = {"name": "Chorus", "version": version(), **await recent_numbers()}
    return JsonResponse({**told, "connections": connection_count()})


class _Recent:
    """The numbers of this second, once they are there; who asks meanwhile waits for the same."""

    def __init__(self) -> None:
        self.until = 0.0
        self.numbers: asyncio.Future[dict[str, int]]


_recent: PerLoop[_Recent] = PerLoop(_Recent)


async def recent_numbers() -> dict[str, int]:
    """The site's live numbers, at most RECENT_SECONDS old: however many ask, the database is asked once."""
    recent, now = _recent.here(), time.monotonic()
    if now >= recent.until:
        recent.until = now + RECENT_SECONDS
        recent.numbers = asyncio.ensure_future(db.run_apart(numbers))
    return await asyncio.shield(recent.numbers)


@api.get("/protocol.json", auth=None, response=dict[str, Any], tags=["Site"])
async def protocol(request: HttpRequest) -> HttpResponse:
    """What is said on the JSON routes, as JSON Schema; `apps` has every command and event by name."""
    count_request(network_of(request))
    return HttpResponse(protocol_json(), content_type="application/json")


class _AsSent(GenerateJsonSchema):
    """Events leave without the fields that are None, and with all others."""

    def field_is_required(self, field: Any, total: bool) -> bool:
        inner = field["schema"]
        if self.mode == "serialization" and inner["type"] == "default":
            return inner.get("default") is not None
        return super().field_is_required(field, total)


@cache
def protocol_json() -> str:
    """`protocol_schema` as it is sent."""
    return json.dumps(protocol_schema())


Spoken = tuple[tuple[type[Command], ...], tuple[type[Event], ...]]


@cache
def protocol_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of every command and event, with an index by app and name."""
    apps: dict[str, Spoken] = {
        "realtime": ((Auth, Ping), (AuthResult, Pong, ErrorEvent)),
        "chat": (chat.events.COMMANDS, chat.events.EVENTS),
        "counter": (counter.events.COMMANDS, counter.events.EVENTS),
        "notifications": (notifications.events.COMMANDS, notifications.events.EVENTS),
    }
    commands = [model for spoken, _ in apps.values() for model in spoken]
    events = [model for _, told in apps.values() for model in told]
    modes: list[tuple[Any, JsonSchemaMode]] = [(model, "validation") for model in commands]
    modes += [(model, "serialization") for model in events]
    title = "The protocol of Chorus's sockets"
    references, schema = models_json_schema(modes, schema_generator=_AsSent, title=title)
    found = {model: reference for (model, _), reference in references.items()}
    index = {
        app: {"commands": _by_name("action", spoken, found), "events": _by_name("type", told, found)}
        for app, (spoken, told) in apps.items()
    }
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema, "apps": index}


def _by_name(field: str, models: Iterable[type[Payload]], found: dict[Any, Any]) -> dict[str, Any]:
    by_name: dict[str, list[Any]] = {}
    for model in models:
        by_name.setdefault(model.model_fields[field].default, []).append(found[model])
    return {name: each[0] if len(each) == 1 else {"anyOf": each} for name, each in by_name.items()}
