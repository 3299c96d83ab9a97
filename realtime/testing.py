"""What a team needs to test its own consumers and what it publishes: sockets without a server, and nothing left behind.

A socket goes through the whole application (origin, credentials, route, consumer), as its client would have it:

    pytestmark = pytest.mark.django_db(transaction=True)  # a socket reads on connections of its own what is committed

    @pytest.fixture(autouse=True)
    async def _tidy():
        yield
        await tidy()

    async def test_a_note_is_seen_by_others(alice):
        board = await db.run(Board.objects.create, name="plans")  # the database work of an asynchronous test
        async with connect("/ws/board/plans/") as guest, connect("/ws/board/plans/", user=alice) as socket:
            await socket.command("put", text="Cake", x=10, y=20, id="1")
            assert (await guest.next("note"))["sender"] == "alice"
            await db.run(board.put, Identity("program:baker", "baker"), "Candles", 30, 40)
            assert (await guest.next("note"))["sender"] == "baker"

What is expected is awaited, for SECONDS at most; that nothing comes is best told by what comes next, else by `silent`.
It needs the package `channels[daphne]`, which Chorus has, and no test framework: with pytest take pytest-django and
pytest-asyncio. docs/testing.md has a complete example.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from channels.routing import get_default_application
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.test import Client

from realtime import db
from realtime.hub.hub import close_hub
from realtime.hub.journal import close_journal
from realtime.scope import Application

SECONDS = 10.0
"""How long anything may take; what is expected comes in milliseconds."""
OWN_ORIGIN = "http://testserver"
"""The origin of this site's pages, as Django's test client has it."""

Event = dict[str, Any]
"""What was said, as a client reads it."""


class HandshakeRefused(Exception):
    """The handshake was answered with an HTTP status and headers, and no socket was opened."""

    def __init__(self, status: int, headers: dict[str, str]) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers


class Socket:
    """A client's end of an open socket. What waits raises TimeoutError after SECONDS."""

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
        """The next frame, text or binary; raises AssertionError if the socket closes instead."""
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
        """The next event; raises AssertionError unless it is an error."""
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
        """Tell whether nothing comes for so many seconds; where an order can be tested instead, do that."""
        return bool(await self.communicator.receive_nothing(seconds))

    async def closed(self) -> tuple[int, str]:
        """Code and reason of the close; raises AssertionError if anything else comes first."""
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
    application: Application | None = None,
    user: AbstractBaseUser | None = None,
    secret: str | None = None,
    headers: Mapping[str, str | None] | None = None,
    raw: Iterable[tuple[bytes, bytes]] = (),
    **scope: Any,
) -> AsyncIterator[Socket]:
    """Open a socket at `path`, with its query string; it is closed at the end, which raises what the consumer raised.

    It comes from a guest, from `user` by a session on a page of this site, or from the owner of the token `secret`.
    `headers` are added to those that say so, and one of None is not sent; `raw` ones follow as they are. What else is
    given goes into the ASGI scope. `application` is settings.ASGI_APPLICATION unless a test brings its own, such as
    realtime.asgi.websocket_application with a few routes. Raises HandshakeRefused where no socket is opened.
    """
    sent: dict[str, str | None] = {"host": "testserver"}
    if user is not None:
        sent |= {"origin": OWN_ORIGIN, "cookie": await session_cookie(user)}
    if secret is not None:
        sent["authorization"] = f"Bearer {secret}"
    sent |= headers or {}
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in sent.items() if value is not None]
    communicator = WebsocketCommunicator(application or get_default_application(), path, [*encoded, *raw])
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
    """Wait for something that other tasks bring about; raises TimeoutError after SECONDS."""
    async with asyncio.timeout(SECONDS):
        while not condition():  # noqa: ASYNC110 - any condition, of code that sets no event
            await asyncio.sleep(0.002)


async def session_cookie(user: AbstractBaseUser) -> str:
    """Log a user in as a browser does; returns its Cookie header."""
    return await db.run(_log_in, user)


def _log_in(user: AbstractBaseUser) -> str:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]  # the stubs know this site's users, a team has its own
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


async def tidy() -> None:
    """Close what sockets of this event loop opened: hub, journal, threads and their connections to the database.

    To be called when each asynchronous test is over, by its loop: else the next one finds a hub of a loop that has
    ended, and the test database cannot be removed.
    """
    await close_hub()
    await close_journal()
    await asyncio.to_thread(close_threads)  # Django closes no connection in a thread with a running loop


def close_threads() -> None:
    """Close the threads that read for sockets: after a synchronous test whose views used them. `tidy` does it too."""
    db.close()
