"""Server-sent events (HTML Living Standard §9.2) out of a socket: the same consumer, the same events.

Whoever reads them is to the hub a socket that has sent its command and now only listens: it counts as
present, resumes, is limited and is told of a restart like any other.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, StreamingHttpResponse
from pydantic_core import from_json

from realtime.access import Identity
from realtime.consumers.socket import SocketConsumer
from realtime.http.event_outbox import EventOutbox
from realtime.http.replies import RETRY_SECONDS
from realtime.http.requests import ApiRequest, requester
from realtime.http.stopping import stopping
from realtime.protocol import CloseCode, Command, Refused
from realtime.scope import Application, Receive, Scope, Send
from realtime.server.frames import bound_send_buffer

UNREAD_SECONDS = 5.0
"""A response that nobody has begun to read by then was never sent."""

Track = Callable[[Mapping[str, Any]], str | None]
"""Gives the id of an event, by which its reader resumes after it; None where it has none."""


async def respond(
    request: ApiRequest, identity: Identity, consumer: SocketConsumer, first: Command, track: Track
) -> StreamingHttpResponse:
    """A response with all that a socket of `consumer` would be told from its first command on.

    Raises Refused, before the response begins, where the command would be answered with an error.
    """
    stream = EventStream(request, identity, consumer, first, track)
    await stream.opened()
    headers = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(stream, content_type="text/event-stream", headers=headers)


def with_transport(application: Callable[..., Awaitable[None]]) -> Application:
    """ASGI middleware for `http`: under Uvicorn, lets a stream hang up on somebody who does not read."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        # What Uvicorn gives as `send` is a method of the object that holds its transport.
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        await application({**scope, "transport": transport}, receive, send)

    return serve


def _transport(request: HttpRequest) -> asyncio.Transport | None:
    transport: asyncio.Transport | None = getattr(request, "scope", {}).get("transport")
    if transport is None or transport.is_closing():
        return None
    bound_send_buffer(transport.get_extra_info("socket"))
    return transport


class EventStream:
    """One reader: at one end the body of a response, at the other a server with one socket."""

    def __init__(
        self, request: ApiRequest, identity: Identity, consumer: SocketConsumer, first: Command, track: Track
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._track = track
        self._consumer = consumer
        self._outbox = EventOutbox(self._encode, lambda: consumer.end(CloseCode.SLOW_READER, "slow reader"))
        self._answer: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        self._reader: asyncio.Task[Any] | None = None
        self._stopping: asyncio.Task[bool] | None = None
        self._transport = _transport(request)
        self._unread = self._loop.call_later(UNREAD_SECONDS, self._leave)
        self._received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._received.put_nowait({"type": "websocket.connect"})
        self._received.put_nowait({"type": "websocket.receive", "text": first.model_dump_json(exclude_none=True)})
        scope = {
            "type": "websocket",
            "path": request.path,
            "peer": requester(request),
            "user": identity.user or AnonymousUser(),
            "token": identity.token,
            "session_key": identity.session,
            "verify": request.verify,
            "guest_key": identity.key.removeprefix("guest:"),
        }
        self._socket = self._loop.create_task(consumer(scope, self._received.get, self._send))
        self._socket.add_done_callback(self._closed)
        stopping.add(self)

    async def opened(self) -> None:
        """Wait for the first event; raises Refused if it is an error."""
        try:
            answer = await self._answer
        except BaseException:
            self._leave()
            raise
        if answer["type"] == "error":
            self._leave()
            raise Refused(
                answer["code"],
                answer["message"],
                fields=answer.get("fields"),
                retry_after=answer.get("retry_after"),
            )

    def stop(self) -> None:
        """The server stops: end as a socket does. May be called in any thread, and by a signal."""
        self._loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        self._stopping = self._loop.create_task(self._consumer.stop())

    # The socket's end.

    async def _send(self, message: Mapping[str, Any]) -> None:
        match message["type"]:
            case "websocket.accept":
                self._consumer.outbox = self._outbox  # from here on it speaks to the reader
            case "websocket.close":
                self._outbox.end()
                if message.get("code") == CloseCode.SLOW_READER:
                    self._hang_up()

    def _hang_up(self) -> None:
        """End a response that waits for somebody who does not read."""
        if self._transport is not None:
            self._transport.abort()  # closing it would wait too
        elif self._reader is not None:
            self._reader.cancel()

    def _encode(self, text: str) -> bytes:
        event = from_json(text)
        if not self._answer.done():
            self._answer.set_result(event)
        elif not self._consumer.reads():  # all that it was for has ended, and who listens cannot ask for more
            self._loop.call_soon(self._consumer.end, CloseCode.NOT_ALLOWED, "nothing is left to be told")
        lines = [f"event: {event['type']}", f"data: {text}", "\n"]
        if (position := self._track(event)) is not None:
            lines.insert(0, f"id: {position}")
        return "\n".join(lines).encode()

    def _closed(self, _: "asyncio.Task[None]") -> None:
        self._outbox.end()
        if not self._answer.done():
            full = Refused("unavailable", "This server cannot take more connections.", retry_after=RETRY_SECONDS)
            self._answer.set_exception(full)

    # The reader's end.

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        self._unread.cancel()
        self._reader = asyncio.current_task()
        try:
            taken = await self._outbox.take()
        except asyncio.CancelledError:
            self._leave()
            raise
        if not taken:
            self._leave()
            raise StopAsyncIteration
        return taken

    def close(self) -> None:
        """The response is over, however it went. Django calls this in another thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._leave)

    def _leave(self) -> None:
        self._unread.cancel()
        self._outbox.end()
        self._received.put_nowait({"type": "websocket.disconnect", "code": 1001})
        stopping.discard(self)
