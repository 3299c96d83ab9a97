"""The people of a room over HTTP, for who keeps order there: parse, do what the card in the room offers, reply."""

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpResponse
from ninja import Router
from pydantic import Field, StringConstraints

from chat.moderation import Moderator
from chat.sanctions import Sanction
from realtime import db
from realtime.access import Identity
from realtime.connections import Wanted, person_of, who
from realtime.http import ERRORS, GUESTS_TOO, ApiRequest, Name, command_in, read_object, reply, takes
from realtime.people import ids_of
from realtime.protocol import Command, Payload, Refused, Timestamp
from realtime.texts import PersonText

router = Router(tags=["Moderation"])

PersonId = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,22}$")]
"""A `sender_id` in an address."""
Kind = Literal["mute", "ban"]
MOST_SECONDS = 10 * 366 * 24 * 3600
"""What is to hold longer is for good."""


class Impose(Command):
    """Mute or ban somebody."""

    action: Literal["impose"] = "impose"
    seconds: Annotated[int, Field(ge=1, le=MOST_SECONDS)] | None = None
    """Left out: for good."""
    reason: Annotated[PersonText, StringConstraints(max_length=200)] = ""
    """Whoever it is about reads it."""


class Imposed(Payload):
    """A mute or ban that holds."""

    kind: Kind
    reason: str | None = None
    since: Timestamp
    until: Timestamp | None = None
    """Left out: for good."""
    by: str | None = None
    """Who imposed it."""
    by_id: str | None = None

    @classmethod
    def of(cls, sanction: Sanction) -> "Imposed":
        """What is told of one."""
        by = Identity.of_user(sanction.by) if sanction.by else None
        kind: Any = sanction.kind
        reason = sanction.reason or None
        return cls(
            kind=kind,
            reason=reason,
            since=sanction.created_at,
            until=sanction.until,
            by=by.name if by else None,
            by_id=ids_of([by.key])[by.key] if by else None,
        )


class Card(Payload):
    """Somebody, as who keeps order in a room sees them."""

    id: str
    name: str
    guest: bool
    """Known by a cookie or, without one, while they are connected: what is imposed holds as long."""
    member_since: Timestamp | None = None
    connections: int
    """Their open sockets in this room."""
    here_since: Timestamp | None = None
    """When the oldest of these was opened."""
    imposed: list[Imposed]
    spared: str | None = None
    """Why nothing may be done to them."""


class Ended(Payload):
    """Sockets were closed."""

    connections: int


@router.get("/{room}/people/{person}/", response={200: Card, **ERRORS}, openapi_extra=GUESTS_TOO)
async def get_person(request: ApiRequest, room: Name, person: PersonId) -> HttpResponse:
    """Who somebody is, whether they are here, and what is imposed on them."""
    moderator, whom = await db.run(_meet, room, person, request.auth)
    connections, since = await _here(moderator, whom)
    return reply(await db.run(_card, moderator, whom, connections, since))


# This address comes first: `disconnect` would else be taken for a kind of what is imposed.
@router.post("/{room}/people/{person}/disconnect/", response={200: Ended, **ERRORS}, openapi_extra=GUESTS_TOO)
async def disconnect(request: ApiRequest, room: Name, person: PersonId) -> HttpResponse:
    """Close their sockets in this room, and no others. They may come back."""
    moderator, whom = await db.run(_meet, room, person, request.auth)
    connections, _ = await _here(moderator, whom)
    await db.run(moderator.disconnect, whom)
    return reply(Ended(connections=connections))


@router.post("/{room}/people/{person}/{kind}/", response={201: Imposed, **ERRORS}, openapi_extra=takes(Impose))
async def impose(request: ApiRequest, room: Name, person: PersonId, kind: Kind) -> HttpResponse:
    """Mute or ban somebody here, for some seconds or for good. It takes the place of one that holds."""
    said = command_in(request, Impose, read_object(request))

    def work() -> Imposed:
        moderator, whom = _meet(room, person, request.auth)
        return Imposed.of(moderator.impose(Sanction.Kind(kind), whom, seconds=said.seconds, reason=said.reason))

    return reply(await db.run(work), 201)


@router.delete("/{room}/people/{person}/{kind}/", response={204: None, **ERRORS}, openapi_extra=GUESTS_TOO)
async def lift(request: ApiRequest, room: Name, person: PersonId, kind: Kind) -> HttpResponse:
    """End a mute or ban now."""

    def work() -> None:
        moderator, whom = _meet(room, person, request.auth)
        moderator.lift(Sanction.Kind(kind), whom)

    await db.run(work)
    return HttpResponse(status=204)


def _meet(room: str, person: str, by: Identity) -> tuple[Moderator, Identity]:
    moderator = Moderator.of(room, by)
    whom = person_of(person, moderator.room)
    if whom is None:
        raise Refused("not_found", "There is nobody of this id any more.")
    return moderator, whom


async def _here(moderator: Moderator, whom: Identity) -> tuple[int, datetime | None]:
    """How many sockets somebody has in the room, and since when. In a thread: other processes are asked."""
    wanted = Wanted({"identity": whom.key, "stream": moderator.room.key})
    found = await asyncio.to_thread(who, wanted)
    return found.totals["connections"], min((datetime.fromisoformat(row["since"]) for row in found.rows), default=None)


def _card(moderator: Moderator, whom: Identity, connections: int, since: datetime | None) -> Card:
    held = moderator.room.sanctions.in_force().filter(identity_key=whom.key).select_related("by")
    return Card(
        id=whom.sender_id,
        name=whom.name,
        guest=whom.user is None,
        member_since=getattr(whom.user, "date_joined", None),
        connections=connections,
        here_since=since,
        imposed=[Imposed.of(sanction) for sanction in held],
        spared=moderator.spares(whom),
    )
