"""What is asked over HTTP: by whom from where, and the typed command in a body.

An app's `api.py` has a ninja Router of thin asynchronous views: parse, do what a socket does, reply. They
need an ASGI server, whose hub tells of what they commit. `config/api.py` mounts them, or a team's own.
"""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from pydantic import TypeAdapter

from realtime.access import Identity, Verify
from realtime.conf import conf
from realtime.peer import Peer, peer_of
from realtime.protocol import Command, Refused, parse_object, validate
from realtime.texts import ClientId

GUESTS_TOO: dict[str, Any] = {"security": [{}]}
"""For a ninja operation's `openapi_extra`: who sends no bearer may ask as well."""
TEXT = {"type": "string"}
HEADERS = {"Idempotency-Key": TypeAdapter(ClientId).json_schema()}
"""Headers that are not any text, as JSON Schema."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing (RFC 9110 §9.2.1)."""

C = TypeVar("C", bound=Command)


class ApiRequest(HttpRequest):
    """A request behind Authentication."""

    auth: Identity
    verify: Verify | None
    """What looks at `auth`'s login again, for a response that goes on."""


def address_of(request: HttpRequest) -> str:
    """The client's address; empty where it has none."""
    return requester(request).address


def network_of(request: HttpRequest) -> str:
    """What limits count as one; see realtime.addresses.network_around."""
    return requester(request).network


def requester(request: HttpRequest) -> Peer:
    """Who asks; without realtime.asgi.http_application, as in Django's test client, whoever is connected."""
    scope = getattr(request, "scope", None)
    if scope is None:
        scope = {"client": (request.META.get("REMOTE_ADDR", ""),), "scheme": request.scheme}
    return peer_of(scope)


def read_body(request: HttpRequest) -> bytes:
    """The request's body; raises Refused `too_long` where a socket would refuse the frame."""
    try:
        body = request.body
    except RequestDataTooBig:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    else:
        limit = conf.max_frame_bytes
        if not limit or len(body) <= limit:
            return body
    raise Refused("too_long", f"The body is too big (max {limit} bytes)")


def header_text(request: HttpRequest, name: str) -> str | None:
    """A header as text: UTF-8, as curl sends what is typed, else Latin-1."""
    value = request.headers.get(name)
    if value is None:
        return None
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def read_object(request: HttpRequest) -> dict[str, Any]:
    """The JSON object in the body, whatever its content type; raises Refused `bad_json`."""
    try:
        text = read_body(request).decode()
    except UnicodeDecodeError:
        raise Refused("bad_json", "Expected a JSON object in UTF-8") from None
    return parse_object(text)


def command_in(request: HttpRequest, model: type[C], value: Mapping[str, Any]) -> C:
    """A typed command of what the body says; `Idempotency-Key` is its client id. Raises Refused `invalid`."""
    key = header_text(request, "Idempotency-Key")
    return validate(model, value if key is None else {**value, "id": key})


def takes(model: type[Command], *headers: str, addressed: Collection[str] = ()) -> dict[str, Any]:
    """For a ninja operation's `openapi_extra`: its body is this command, without what headers and the address say.

    `addressed` are the fields that the address says.
    """
    schema = model.model_json_schema()
    for name in ("action", "id", *addressed):
        schema["properties"].pop(name, None)
    schema["required"] = [name for name in schema.get("required", ()) if name in schema["properties"]]
    return {
        **GUESTS_TOO,
        "parameters": [{"in": "header", "name": name, "schema": HEADERS.get(name, TEXT)} for name in headers],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
    }
