"""One WebSocket connection: an asyncio.Protocol of our own, which Uvicorn is handed by its `ws` option.

    bytes ──► Opening ──► the application ──► accept ──► frames ──► the application's `receive`
                                                             └────► a Handler, once the application handed over

`manage.py serve` names it; so can `uvicorn --ws realtime.server:ChorusProtocol`. An application of ours hands the
connection over to a Handler and returns: nothing of the call, of its scope or of the request stays in memory for as
long as the connection is idle. Any other application is served by the letter of ASGI.
"""

import asyncio
from asyncio.transports import BaseTransport
from collections import deque
from collections.abc import Coroutine
from typing import Any, Protocol, cast

from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected, get_local_addr, get_remote_addr, is_ssl
from uvicorn.server import ServerState

from realtime.server.closing import CLOSED, CLOSING, OPEN, OPENING, Closing
from realtime.server.frames import BINARY, TEXT, bound_send_buffer, frame
from realtime.server.handshake import Handshake
from realtime.server.opening import EARLY_BYTES, Opening, Refusal, refused
from realtime.server.reading import CONSUMER
from realtime.server.shared import shared_by

HIGH_WATER_BYTES = 64 * 1024
"""From here on `drain` waits."""
DRAINING_SECONDS = 6.0
"""How long a consumer may take to finish at shutdown; longer than it ever waits for the database."""
AHEAD, SHORT_BYTES = 16, 4096
"""So many messages of at most so many bytes are read before the consumer has taken the first."""
END = object()
"""Behind all that was received: the connection has ended."""
STOP = object()
"""Behind all that was received: the server stops."""


class Handler(Protocol):
    """What a connection is handed over to. Calls never overlap: the next comes when what the last returned is done."""

    def take(self, message: str | bytes) -> Coroutine[Any, Any, object] | None:
        """A message has come. What takes its time is returned to be run, and holds up those behind it."""

    def stop(self) -> Coroutine[Any, Any, object] | None:
        """The server stops; all that came before was taken."""

    def ended(self, code: int, reason: str) -> None:
        """The connection has ended, with this code and reason; called once, last."""


class ChorusProtocol(Closing):
    """One WebSocket connection; its scope offers it as `extensions["chorus.connection"]`."""

    # A server has one for each connection.
    __slots__ = ("_handler", "_inbox", "_opening", "_waiter", "_working")

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(shared_by(config, server_state), _loop or asyncio.get_running_loop())
        self.shared.app_state = app_state
        self._opening: Opening | None = None
        self._inbox: deque[Any] | None = None
        """What was received and not taken; made when it is first needed."""
        self._waiter: asyncio.Future[None] | None = None
        """Of the application, while it waits in `receive`."""
        self._handler: Handler | None = None
        self._working = False
        """Whether a task runs what the handler returned."""

    # The transport's side.

    def connection_made(self, transport: BaseTransport) -> None:
        """Uvicorn's HTTP protocol has read a request that wants to become a WebSocket."""
        self.shared.connections.add(self)
        self.transport = cast("asyncio.Transport", transport)
        # The HTTP protocol, which still has the transport, knows the addresses: to ask again costs four system calls.
        before: Any = self.transport.get_protocol()
        if isinstance(getattr(before, "client", None), tuple):
            client, server = before.client, before.server
        else:
            client, server = get_remote_addr(self.transport), get_local_addr(self.transport)
        self._opening = Opening(client, server, secure=is_ssl(self.transport))
        self.transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        if not self.shared.bounds_send_buffer:
            bound_send_buffer(transport.get_extra_info("socket"))

    def data_received(self, data: bytes) -> None:
        """Read on, in whatever part of its life the connection is."""
        if self._opening is None:
            super().data_received(data)
        elif self._opening.handshake is not None:  # which is not answered yet
            self._opening.early += data
            if len(self._opening.early) > EARLY_BYTES:
                self.transport.abort()
        elif self.state == OPENING:
            self._ask(self._opening, data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing can be sent or received any more."""
        self.shared.connections.discard(self)
        self.lost()
        self._put_end()

    # The opening handshake.

    def _ask(self, opening: Opening, data: bytes) -> None:
        try:
            if opening.received(data) is None:
                return
        except Refusal as refusal:
            self.state = CLOSED
            self.transport.write(refusal.response(self.shared.default_headers))
            self.transport.close()
            return
        self._call(opening)

    def asked(self, asked: Handshake, early: bytes) -> None:
        """Begin with a handshake that was read already, and what came behind it."""
        assert self._opening is not None
        self._opening.handshake = asked
        self._opening.early += early
        self._call(self._opening)

    def _call(self, opening: Opening) -> None:
        self._put({"type": "websocket.connect"})
        self._run(self._serve(opening.scope(self.shared, self)))

    def _run(self, work: Coroutine[Any, Any, object]) -> None:
        task: asyncio.Task[Any] = self.loop.create_task(work)
        self.shared.tasks.add(task)
        task.add_done_callback(self.shared.tasks.discard)

    async def _serve(self, scope: dict[str, Any]) -> None:
        """Call the application; however it ends, the client is answered."""
        try:
            result = await self.shared.application(scope, self.receive, self.send)
        except ClientDisconnected:
            self._fail()
            return
        except asyncio.CancelledError:
            self._fail()
            raise
        except BaseException:  # an exception group too, and whatever an application of somebody's raises
            self.shared.logger.exception("Exception in ASGI application\n")
            self._fail()
            return
        del scope
        if self._handler is not None:
            return
        if result is not None:
            self.shared.logger.error("ASGI callable should return None, but returned '%s'.", result)
        elif self.state == OPENING and self._opening is not None and self._opening.answer is None:
            self.shared.logger.error("ASGI callable returned without completing handshake.")
        self._fail()

    def _fail(self) -> None:
        """End a connection that its application has left."""
        unanswered = self.state == OPENING and self._opening is not None and self._opening.answer is None
        if unanswered and not self.transport.is_closing():
            self._refuse(500, [(b"content-type", b"text/plain; charset=utf-8")], b"Internal Server Error")
        self.hang_up()

    def _refuse(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.state = CLOSED
        self.transport.write(refused(self.shared.default_headers, status, headers, len(body)) + body)
        self.hang_up()

    def _accept(self, opening: Opening, message: dict[str, Any]) -> None:
        """Open the connection. From here on there are frames only, and nothing of the request is kept."""
        self.transport.write(opening.accepted(self.shared.default_headers, message))
        self.opened()
        self._opening = None
        if opening.early:
            super().data_received(bytes(opening.early))

    # The application's side (ASGI).

    async def receive(self) -> dict[str, Any]:
        """The next event."""
        while not self._inbox:
            self.release(CONSUMER)
            if self._inbox:
                break
            self._waiter = self.loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        event = self._inbox.popleft()
        if event is END:
            code, reason = self.end
            self._inbox.append(END)  # whoever asks again learns the same
            return {"type": "websocket.disconnect", "code": code, "reason": reason}
        if isinstance(event, str):
            return {"type": "websocket.receive", "text": event}
        if isinstance(event, bytes):
            return {"type": "websocket.receive", "bytes": event}
        connect: dict[str, Any] = event
        return connect

    async def send(self, message: dict[str, Any]) -> None:
        """Send an event; raises ClientDisconnected where nobody is left to be told."""
        kind = message["type"]
        if self._opening is not None and self.state == OPENING:
            self._answer(self._opening, kind, message)
        elif kind == "websocket.close":
            self.close(message.get("code", 1000), message.get("reason") or "")
        elif self.state == CLOSED:
            raise ClientDisconnected
        elif kind != "websocket.send":
            raise RuntimeError(f"Expected ASGI message 'websocket.send' or 'websocket.close', but got '{kind}'.")
        elif self.ended:
            raise ClientDisconnected
        else:
            text, data = message.get("text"), message.get("bytes")
            self.write(frame(BINARY, data or b"") if text is None else frame(TEXT, text.encode()))
            await self.drain()

    def _answer(self, opening: Opening, kind: str, message: dict[str, Any]) -> None:
        if self.transport.is_closing():
            raise ClientDisconnected
        if opening.answer is not None:
            self._answer_on(opening, kind, message)
        elif kind == "websocket.accept":
            self._accept(opening, message)
        elif kind == "websocket.close":
            self._refuse(403, [], b"")
        elif kind == "websocket.http.response.start":
            opening.answer = message["status"], [*message.get("headers", ())]
        else:
            raise RuntimeError(
                "Expected ASGI message 'websocket.accept', 'websocket.close' or 'websocket.http.response.start' "
                f"but got '{kind}'."
            )

    def _answer_on(self, opening: Opening, kind: str, message: dict[str, Any]) -> None:
        if kind != "websocket.http.response.body":
            raise RuntimeError(f"Expected ASGI message 'websocket.http.response.body' but got '{kind}'.")
        assert opening.answer is not None
        status, headers = opening.answer
        opening.early += message.get("body", b"")  # nothing that came early is of use any more
        if not message.get("more_body"):
            self._refuse(status, headers, bytes(opening.early))

    # What is received, for whoever takes it.

    def hand_over(self, handler: Handler) -> None:
        """From now on messages go to a handler, and the connection outlives the call of the application."""
        self._handler = handler
        if self._inbox:
            self._working = True
            self._run(self._work(None))
        else:
            self._inbox = None
            self.release(CONSUMER)

    def text_received(self, text: str) -> None:
        """A whole text message."""
        self._deliver(text, len(text))

    def bytes_received(self, data: bytes) -> None:
        """A whole binary message."""
        self._deliver(data, len(data))

    def _deliver(self, message: str | bytes, size: int) -> None:
        if self.state != OPEN:  # nothing is taken from who was told to go
            return
        if self._handler is not None and not self._working:
            work = self._handler.take(message)
            if work is not None:
                self._working = True
                self._run(self._work(work))
            return
        self._put(message)
        # A client is read ahead of its consumer by a few short messages, which spares two calls for each.
        if size > SHORT_BYTES or len(self._inbox or ()) >= AHEAD:
            self.hold(CONSUMER)

    async def _work(self, work: Coroutine[Any, Any, object] | None) -> None:
        """Run what the handler returned, and take what has come meanwhile."""
        handler = self._handler
        assert handler is not None
        try:
            if work is not None:
                await work
            while self._inbox:
                message = self._inbox.popleft()
                if message is END:
                    handler.ended(*self.end)
                    continue
                more = handler.stop() if message is STOP else handler.take(message)
                if more is not None:
                    await more
        except BaseException as error:
            if not isinstance(error, asyncio.CancelledError):
                self.shared.logger.exception("Exception in a connection's handler\n")
            self.hang_up()
            raise
        finally:
            self._working = False
            self._inbox = self._inbox or None
        self.release(CONSUMER)

    def _put(self, item: Any) -> None:
        if self._inbox is None:
            self._inbox = deque()
        self._inbox.append(item)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _put_end(self) -> None:
        if self._handler is not None and not self._working:
            handler, self._handler = self._handler, _GONE
            handler.ended(*self.end)
        elif self._handler is not _GONE and not (self._inbox and self._inbox[-1] is END):
            self._put(END)

    # The end, as the server wants it.

    def shutdown(self) -> None:
        """The server stops: let the consumer finish what it has received and close, or close here."""
        if self.state == OPENING:
            asked = self._opening is not None and self._opening.handshake is not None
            if asked:
                self._refuse(500, [], b"The server stops.")
            else:
                self.hang_up()
            self._put_end()
        elif self.state == OPEN and self._handler is not None:
            # Behind all that was received, so that it is finished first.
            self._stop()
            # One that waits for a reader that has stopped would never get to it.
            self.loop.call_later(DRAINING_SECONDS if self.is_writable else 0.0, self.close, 1012, "retry_after=1.0")
        else:
            self.close(1012, "retry_after=1.0")

    def _stop(self) -> None:
        if self._handler is not None and not self._working:
            work = self._handler.stop()
            if work is not None:
                self._working = True
                self._run(self._work(work))
        else:
            self._put(STOP)


class _Gone:
    """The handler of a connection that has ended."""

    def take(self, message: str | bytes) -> None: ...

    def stop(self) -> None: ...

    def ended(self, code: int, reason: str) -> None: ...


_GONE = _Gone()

__all__ = ["CLOSING", "ChorusProtocol", "Handler"]
