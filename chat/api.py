"""Rooms and messages over HTTP: parse, do what a socket does, reply."""

from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from ninja import Query, Router

from chat import events, moderation_api
from chat.models import Message, Room
from realtime import db
from realtime.access import Identity
from realtime.http import (
    ERRORS,
    GUESTS_TOO,
    ApiRequest,
    Asked,
    Name,
    Page,
    append,
    command_in,
    open_stream,
    read_object,
    readable,
    reply,
    reply_page,
    takes,
)
from realtime.hub import current_hub
from realtime.protocol import Payload, Sequence
from realtime.streams import group_of

router = Router(tags=["Chat"])
router.add_router("", moderation_api.router)


class RoomInfo(Payload):
    """A room."""

    name: str
    title: str
    description: str
    seq: Sequence
    """Its last position."""


class Rooms(Payload):
    """The rooms that whoever asks may read."""

    rooms: list[RoomInfo]


class Messages(Page):
    """What was said in a room."""

    room: str
    messages: events.Entries


@router.get("/", response={200: Rooms, **ERRORS}, openapi_extra=GUESTS_TOO)
async def list_rooms(request: ApiRequest) -> HttpResponse:
    """The rooms that you may read."""
    found = await db.run_apart(readable, Room, request.auth)
    rooms = [RoomInfo(name=r.name, title=str(r), description=r.description, seq=r.last_seq) for r in found]
    return reply(Rooms(rooms=rooms))


@router.get("/{room}/messages/", response={200: Messages, **ERRORS}, openapi_extra=GUESTS_TOO)
async def list_messages(request: ApiRequest, room: Name, asked: Query[Asked]) -> HttpResponse:
    """What was said in a room, oldest first: the newest, those after a position, or those before one."""
    found = await db.run(open_stream, Room, room, request.auth, "read")
    return await reply_page(request, Messages, found, asked, room=found.name)


SEND = takes(events.Send, "Idempotency-Key")
SENT: dict[Any, Any] = {200: events.ChatEvent | events.Tombstone, 201: events.ChatEvent, **ERRORS}


@router.post("/{room}/messages/", response=SENT, openapi_extra=SEND)
async def post_message(request: ApiRequest, room: Name) -> HttpResponse:
    """Say something in a room. The answer is 200 where `Idempotency-Key` was used before, for what is deleted too."""
    said = command_in(request, events.Send, read_object(request))
    found = await db.run(open_stream, Room, room, request.auth, "write")
    sender = await _as_called(request.auth, found)
    message: Any = await append(request, found, Message.saying(sender, said.text, said.id))
    event = message.as_event()
    if message.duplicate:
        return reply(event.model_copy(update={"duplicate": True}))
    return reply(event, 201)


async def _as_called(identity: Identity, room: Room) -> Identity:
    """A guest under the name that they have in the room, or that is free there."""
    if identity.user is not None:
        return identity
    name = await current_hub().presence.name_for(group_of(room.key), identity.key, identity.name)
    return replace(identity, name=name)
