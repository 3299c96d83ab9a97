"""One connector for tests: a socket through the real application, without a server.

async with connect("/ws/chat/lobby/", user=alice) as socket:
    await socket.command("send", text="Hi")
    assert (await socket.next("chat"))["message"] == "Hi"
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.test import Client

from config.asgi import application
from realtime import db
from realtime.hub.hub import current_hub

SECONDS = 10.0
"""How long anything may take; what is expected comes in milliseconds."""
OWN_ORIGIN = "http://testserver"

Event = dict[str, Any]


class HandshakeRefused(Exception):
    """The handshake was answered with an HTTP status and headers."""

    def __init__(self, status: int, headers: dict[str, str]) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers


class Socket:
    """A client's end of an open socket."""

    def __init__(self, communicator: WebsocketCommunicator) -> None:
        self.communicator = communicator

    async def send(self, frame: str | bytes) -> None:
        """Send a frame as it is, empty ones too."""
        kind = "text" if isinstance(frame, str) else "bytes"
        await self.communicator.send_input({"type": "websocket.receive", kind: frame})

    async def command(self, action: str, **fields: Any) -> None:
        """Send a JSON command."""
        await self.send(json.dumps({"action": action, **fields}))

    async def frame(self) -> str | bytes:
        """The next frame; raises AssertionError if the socket closes instead."""
        message = await self.communicator.receive_output(SECONDS)
        assert message["type"] == "websocket.send", message
        frame: str | bytes = message["text"] if message.get("text") is not None else message["bytes"]
        return frame

    async def event(self) -> Event:
        """The next frame, which is a JSON object."""
        event: Event = json.loads(await self.frame())
        return event

    async def next(self, type: str, **fields: Any) -> Event:
        """The next event of that type with those fields; what comes before it is passed over."""
        while True:
            event = await self.event()
            if event["type"] == type and fields.items() <= event.items():
                return event

    async def error(self) -> Event:
        """The next event, which is an error."""
        event = await self.event()
        assert event["type"] == "error", event
        return event

    async def before(self, type: str) -> list[Event]:
        """Everything up to the next event of that type, which is the last of the list."""
        events: list[Event] = []
        while not events or events[-1]["type"] != type:
            events.append(await self.event())
        return events

    async def silent(self, seconds: float = 0.05) -> bool:
        """Tell whether nothing comes for a while; where an order can be tested instead, do that."""
        return bool(await self.communicator.receive_nothing(seconds))

    async def closed(self) -> tuple[int, str]:
        """Code and reason of the close, which is the next to come."""
        message = await self.communicator.receive_output(SECONDS)
        assert message["type"] == "websocket.close", message
        return message.get("code", 1000), message.get("reason", "")

    async def ended(self) -> tuple[int, str]:
        """Code and reason of the close; what comes before it is passed over."""
        while (message := await self.communicator.receive_output(SECONDS))["type"] != "websocket.close":
            pass
        return message.get("code", 1000), message.get("reason", "")

    async def disconnect(self, code: int = 1001) -> None:
        """Go away, and wait until the application has noticed; raises what it raised."""
        if not self.communicator.future.done():
            await self.communicator.send_input({"type": "websocket.disconnect", "code": code})
        await self.communicator.wait(SECONDS)


@asynccontextmanager
async def connect(
    path: str,
    *,
    user: User | None = None,
    secret: str | None = None,
    headers: Mapping[str, str | None] | None = None,
    raw: Iterable[tuple[bytes, bytes]] = (),
    application: Any = application,
    **scope: Any,
) -> AsyncIterator[Socket]:
    """Open a socket: as a guest, as `user` by a session from a page of ours, or by a token's `secret`.

    A header of None is not sent, and `raw` ones follow as they are; what is given as `scope` goes into the ASGI
    scope; `application` is this site's unless a test brings one of its own. Raises HandshakeRefused.
    """
    sent: dict[str, str | None] = {"host": "testserver"}
    if user is not None:
        sent |= {"origin": OWN_ORIGIN, "cookie": await session_cookie(user)}
    if secret is not None:
        sent["authorization"] = f"Bearer {secret}"
    sent |= headers or {}
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in sent.items() if value is not None]
    communicator = WebsocketCommunicator(application, path, [*encoded, *raw])
    communicator.scope |= {
        "scheme": "ws",
        "client": ("127.0.0.1", 50000),
        "extensions": {"websocket.http.response": {}},
        **scope,
    }
    await communicator.send_input({"type": "websocket.connect"})
    answer = await communicator.receive_output(SECONDS)
    if answer["type"] != "websocket.accept":
        await communicator.wait(SECONDS)
        answered = {name.decode(): value.decode() for name, value in answer.get("headers", ())}
        raise HandshakeRefused(answer.get("status", 403), answered)
    socket = Socket(communicator)
    try:
        yield socket
    finally:
        await socket.disconnect()


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that other tasks bring about."""
    async with asyncio.timeout(SECONDS):
        while not condition():  # noqa: ASYNC110 - any condition, of code that sets no event
            await asyncio.sleep(0.002)


def followed() -> set[str]:
    """The groups in which this process has sockets, streams or people."""
    here = current_hub()
    return {*here._groups, *here._streams, *here.presence._groups}  # noqa: SLF001 - none may be left, and none is shown


async def session_cookie(user: User) -> str:
    """Log in as a browser does; gives its Cookie header."""
    return await db.run(_log_in, user)


def _log_in(user: User) -> str:
    client = Client()
    client.force_login(user)
    return f"sessionid={client.cookies['sessionid'].value}"
