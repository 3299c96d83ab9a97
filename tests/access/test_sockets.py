"""Every command of every route, tried by everybody in every stream."""

import json
from typing import Any

import pytest

from chat.models import Room
from config.asgi import application
from realtime import db
from realtime.consumers.commands import JsonConsumer
from realtime.testing import Event, Socket, connect
from tests.access.cast import OPS, Actor, Cast
from tests.access.table import BAD_TOKENS, COMMANDS, GUESTS, MODERATORS, RIGHTS, STREAMS, Need, Row, hidden

BARRIER = "what no route knows"


def routes() -> dict[str, Any]:
    """Every socket route as people write it, with its consumer."""
    websocket: Any = application.application_mapping["websocket"]
    while not hasattr(websocket, "routes"):
        websocket = websocket.inner
    found = {}
    for pattern in websocket.routes[:-1]:  # the last refuses
        path = str(pattern.pattern).removeprefix("^").removesuffix("/?$")
        path = path.replace("(?P<room>[^/]+)", "<room>").replace("(?P<counter>[^/]+)", "<counter>")
        found[f"/{path}"] = pattern.callback.consumer_class
    return found


def test_every_command_of_every_route_has_a_row() -> None:
    actions: set[tuple[str, str]] = set()
    for path, consumer in routes().items():
        named = {*consumer.commands, "auth"} if issubclass(consumer, JsonConsumer) else {""}
        actions |= {(path, action) for action in named}
    assert actions == set(COMMANDS)


def allowed(who: str, row: Row, stream: str) -> bool:
    """What the table says of what comes after the socket is open."""
    if row.need is Need.NOTHING:
        return True
    if row.need is Need.USER:
        return who not in GUESTS
    rights = RIGHTS[who]
    match row.need:
        case Need.MODERATE:
            return who in MODERATORS and rights.may(row.app, "write", stream)
        case Need.READ_AS_USER:
            return who not in GUESTS and rights.may(row.app, "read", stream)
        case _:
            return rights.may(row.app, "read" if row.need is Need.READ else "write", stream)


def enters(who: str, row: Row, stream: str) -> bool:
    """What the table says of opening the socket."""
    return row.app in {"", "notifications"} or RIGHTS[who].may(row.app, "read", stream)


@pytest.mark.parametrize("key", COMMANDS, ids=" ".join)
async def test_everybody_may_what_the_table_says(key: tuple[str, str], cast: Cast) -> None:
    row, wrong = COMMANDS[key], []
    for actor in cast:
        for stream in row.streams if actor.name in RIGHTS else STREAMS[:1]:
            found, expected = await outcome(actor, key, stream, cast.spare), expectation(actor.name, row, stream)
            if found != expected:
                wrong.append(f"{actor.name} in {stream}: {found}, not {expected}")
    assert not wrong


def expectation(who: str, row: Row, stream: str) -> str:
    if who in BAD_TOKENS:
        return "Invalid token 1008"
    if not enters(who, row, stream):
        return "not_found 4504" if hidden(who, row.app, stream) else "forbidden 4506"
    if allowed(who, row, stream):
        return "done"
    if row.app == "notifications" and hidden(who, row.app, stream) and not is_guest_s(who, row):
        return "not_found"
    return "Authentication required 1008" if row.need is Need.USER else "forbidden"


def is_guest_s(who: str, row: Row) -> bool:
    """Whether a guest is told so, before what they ask for is looked at."""
    return row.need is Need.READ_AS_USER and who in GUESTS


async def outcome(actor: Actor, key: tuple[str, str], stream: str, spare: str) -> str:
    """What happens to one of them, in a word and perhaps a close code."""
    path, action = key
    path = path.replace("<room>", stream).replace("<counter>", stream) + "/"
    row = COMMANDS[key]
    async with connect(path, **actor.socket) as socket:
        if not action:
            return await plain(socket, actor, row)
        fields = json.loads(json.dumps(row.send).replace("<stream>", stream).replace("<token>", spare))
        if row.need is Need.MODERATE:
            fields["seq"] = await db.run(said_by_others, stream)
        await socket.command(action, **fields)
        await socket.command(BARRIER)
        return await read(socket, row)


def said_by_others(room: str) -> int:
    """Where somebody else just said something."""
    return Room.objects.get(name=room).post(OPS, "hi").seq


async def read(socket: Socket, row: Row) -> str:
    """Read until it is clear whether the command was done."""
    done = row.answer is None
    while True:
        event = await socket.event()
        if event["type"] == row.answer and event.get("status") != "error":
            return "done"
        if event["type"] == "auth":
            assert event["status"] == "error"
            return f"{event['message']} {(await socket.closed())[0]}"
        if event["type"] == "error":
            if event["code"] == "unsupported_action":
                if done:
                    return "done"
                continue  # what is stored is answered later
            return await refusal(socket, event)


async def refusal(socket: Socket, event: Event) -> str:
    """Tell whether a refusal left the socket open: then it refuses the next thing too."""
    await socket.command(BARRIER)
    message = await socket.communicator.receive_output(5)
    while message["type"] == "websocket.send" and json.loads(message["text"])["type"] != "error":
        message = await socket.communicator.receive_output(5)
    return f"{event['code']} {message['code']}" if message["type"] == "websocket.close" else str(event["code"])


async def plain(socket: Socket, actor: Actor, row: Row) -> str:
    """A plain route: a text, and what comes of it."""
    if actor.name in BAD_TOKENS:
        return await read(socket, row)
    await socket.send(row.send)
    if row.answer is None:
        return "done" if await socket.silent(0.01) else "an answer"
    frame = str(await socket.frame())
    if frame.startswith(row.answer):
        return "done"
    message = json.loads(frame)["message"].partition(":")[0]
    return f"{message} {(await socket.closed())[0]}"
