"""Counters over HTTP: parse, do what a socket does, reply."""

from typing import Any

from django.http import HttpResponse
from ninja import Router

from counter import events
from counter.models import Change, Counter
from realtime import db
from realtime.http import (
    ERRORS,
    GUESTS_TOO,
    ApiRequest,
    Name,
    append,
    command_in,
    open_stream,
    read_object,
    readable,
    reply,
    takes,
)
from realtime.protocol import Payload

router = Router(tags=["Counters"])


class CounterInfo(Payload):
    """A counter and where it stands."""

    name: str
    title: str
    value: events.Value
    version: int


class Counters(Payload):
    """The counters that whoever asks may read."""

    counters: list[CounterInfo]


@router.get("/", response={200: Counters, **ERRORS}, openapi_extra=GUESTS_TOO)
async def list_counters(request: ApiRequest) -> HttpResponse:
    """The counters that you may read."""
    found = await db.run_apart(readable, Counter, request.auth)
    counters = [CounterInfo(name=c.name, title=str(c), value=c.value, version=c.last_seq) for c in found]
    return reply(Counters(counters=counters))


@router.get("/{counter}/", response={200: events.StateEvent, **ERRORS}, openapi_extra=GUESTS_TOO)
async def get_counter(request: ApiRequest, counter: Name) -> HttpResponse:
    """Where a counter stands."""
    found = await db.run(open_stream, Counter, counter, request.auth, "read")
    return reply(events.StateEvent(value=found.value, version=found.last_seq))


ADD = takes(events.Add, "Idempotency-Key")


@router.post("/{counter}/add/", response={200: events.Ack | events.StateEvent, **ERRORS}, openapi_extra=ADD)
async def add(request: ApiRequest, counter: Name) -> HttpResponse:
    """Add a number. The answer is an `ack` where `Idempotency-Key` was given, else the state after it."""
    asked = command_in(request, events.Add, read_object(request))
    found = await db.run(open_stream, Counter, counter, request.auth, "write")
    change: Any = await append(request, found, Change.of(request.auth, asked.delta, asked.id))
    if change.client_id is not None:
        return reply(change.as_event())
    return reply(events.StateEvent(value=change.value, version=change.seq))
