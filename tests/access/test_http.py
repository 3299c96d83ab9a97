"""Every HTTP operation, tried by everybody in every stream."""

import json

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient

from chat.models import Room, Sanction
from config.api import api
from realtime import db
from realtime.access import Identity
from realtime.people import ids_of
from tests.access.cast import Actor, Cast
from tests.access.table import (
    BAD_TOKENS,
    BY_TOKEN,
    GUESTS,
    MODERATORS,
    OPERATIONS,
    RIGHTS,
    STREAMS,
    TOKENS,
    Need,
    Row,
    hidden,
)
from tests.processes import PASSWORD


def test_every_operation_has_a_row() -> None:
    paths = api.get_openapi_schema()["paths"]
    assert {(method.upper(), path) for path in paths for method in paths[path]} == set(OPERATIONS)


@pytest.mark.parametrize("key", OPERATIONS, ids=" ".join)
async def test_everybody_may_what_the_table_says(key: tuple[str, str], cast: Cast) -> None:
    row, wrong = OPERATIONS[key], []
    for actor in cast:
        for stream in row.streams if actor.name in RIGHTS else STREAMS[:1]:
            found, expected = await outcome(actor, key, stream), expectation(actor.name, row, stream)
            if found != expected:
                wrong.append(f"{actor.name} in {stream}: {found}, not {expected}")
    assert not wrong


def expectation(who: str, row: Row, stream: str) -> tuple[int, str]:
    """Status, and the error's code."""
    if who in BAD_TOKENS and row.app != "public":
        return 401, "forbidden"
    match row.need:
        case Need.NOTHING:
            allowed = True
        case Need.TOKEN:
            allowed = who in TOKENS
        case Need.KEEP_ORDER:
            allowed = who == BY_TOKEN or (who in MODERATORS and RIGHTS[who].may(row.app, "read", stream))
        case _:
            allowed = RIGHTS[who].may(row.app, "read" if row.need is Need.READ else "write", stream)
    if allowed:
        return row.answer, ""
    if row.need in {Need.READ, Need.WRITE, Need.KEEP_ORDER} and hidden(who, row.app, stream):
        return 404, "not_found"
    return (401 if who in GUESTS or row.need is Need.TOKEN else 403), "forbidden"


def a_muted_person(room: str) -> str:
    """The id of somebody who is muted in a room, and may be moderated."""
    muted = Identity.of_user(User.objects.get(username="muted"))
    Room.objects.get(name=room).sanction(Sanction.Kind.MUTE, muted, None)
    return ids_of([muted.key])[muted.key]


async def outcome(actor: Actor, key: tuple[str, str], stream: str) -> tuple[int, str]:
    method, path = key
    row = OPERATIONS[key]
    for part in ("{room}", "{counter}", "{topic}"):
        path = path.replace(part, stream)
    if row.need is Need.KEEP_ORDER:
        path = path.replace("{person}", await db.run(a_muted_person, stream)).replace("{kind}", "mute")
    path = path.replace("{seq}", "1") + "".join(f"?{name}={stream}" for name in row.form)
    body = json.dumps(row.send).replace("<password>", PASSWORD) if row.send else ""
    client = actor.using(AsyncClient())
    response = await client.generic(method, path, body, "application/json", headers=actor.headers)
    if response.streaming:
        await response.streaming_content.__anext__()  # type: ignore[attr-defined]
        response.close()
        return response.status_code, ""
    refused = response.status_code >= 400
    return response.status_code, json.loads(response.content)["code"] if refused else ""
