"""What is received, for whoever takes it: the `receive` of an application, or a Handler that it handed over to."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any, Protocol

from realtime.server.closing import OPEN, Closing
from realtime.server.reading import CONSUMER
from realtime.server.shared import Shared

AHEAD, SHORT_BYTES = 16, 4096
"""So many messages of at most so many bytes are read before the consumer has taken the first."""
DRAINING_SECONDS = 6.0
"""How long a consumer may take to finish at shutdown; longer than it ever waits for the database."""
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


class _Gone:
    """The handler of a connection that has ended."""

    def take(self, message: str | bytes) -> None: ...

    def stop(self) -> None: ...

    def ended(self, code: int, reason: str) -> None: ...


_GONE = _Gone()


class Delivery(Closing):
    """The part of a connection that gives on what was received, in order, and its end last."""

    __slots__ = ("_handler", "_inbox", "_waiter", "_working")

    def __init__(self, shared: Shared, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(shared, loop)
        self._inbox: deque[Any] | None = None
        """What was received and not taken; made when it is first needed."""
        self._waiter: asyncio.Future[None] | None = None
        """Of the application, while it waits in `receive`."""
        self._handler: Handler | None = None
        self._working = False
        """Whether a task runs what the handler returned."""

    # An application of ASGI takes it.

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

    # A handler does.

    def hand_over(self, handler: Handler) -> None:
        """From now on messages go to a handler, and the connection outlives the call of the application."""
        self._handler = handler
        if self._inbox:
            self._start(None)
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
            try:
                work = self._handler.take(message)
            except Exception as error:  # noqa: BLE001 - it is logged, and ends this connection alone
                self._failed(error)
            else:
                if work is not None:
                    self._start(work)
            return
        self._put(message)
        # A client is read ahead of its consumer by a few short messages, which spares two calls for each.
        if size > SHORT_BYTES or len(self._inbox or ()) >= AHEAD:
            self.hold(CONSUMER)

    def _start(self, work: Coroutine[Any, Any, object] | None) -> None:
        self._working = True
        self._run(self._work(work))

    def _run(self, work: Coroutine[Any, Any, object]) -> None:
        task: asyncio.Task[Any] = self.loop.create_task(work)
        self.shared.tasks.add(task)
        task.add_done_callback(self.shared.tasks.discard)

    async def _work(self, work: Coroutine[Any, Any, object] | None) -> None:
        """Run what the handler returned, and take what has come meanwhile."""
        try:
            if work is not None:
                await work
            while self._inbox:
                work = self._next(self._inbox.popleft())
                if work is not None:
                    await work
        except asyncio.CancelledError:
            self.hang_up()
            raise
        except Exception as error:  # noqa: BLE001 - it is logged, and ends this connection alone
            self._failed(error)
        finally:
            self._working = False
            left, self._inbox = self._inbox, None
            if left and left[-1] is END:  # nothing that would tell so comes any more
                self._end_handler()
        self.release(CONSUMER)

    def _next(self, item: Any) -> Coroutine[Any, Any, object] | None:
        assert self._handler is not None
        if item is END:
            self._end_handler()
            return None
        return self._handler.stop() if item is STOP else self._handler.take(item)

    def _failed(self, error: Exception) -> None:
        """The handler has raised what it should not: that ends its connection."""
        self.shared.logger.error("Exception in a connection's handler\n", exc_info=error)
        self.hang_up()

    def _end_handler(self) -> None:
        """Tell the handler, once."""
        handler, self._handler = self._handler, _GONE
        assert handler is not None
        try:
            handler.ended(*self.end)
        except Exception:
            self.shared.logger.exception("Exception in a connection's handler\n")

    def _put(self, item: Any) -> None:
        if self._inbox is None:
            self._inbox = deque()
        self._inbox.append(item)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _put_end(self) -> None:
        if self._handler is not None and not self._working:
            self._end_handler()
        elif not (self._inbox and self._inbox[-1] is END):
            self._put(END)

    def stop(self) -> None:
        """Let the handler finish, behind all that was received, and close; but it has DRAINING_SECONDS at most."""
        # One that waits for a reader that has stopped would never get to it.
        self.loop.call_later(DRAINING_SECONDS if self.is_writable else 0.0, self.close, 1012, "retry_after=1.0")
        if self._handler is None or self._working:
            self._put(STOP)
            return
        try:
            work = self._handler.stop()
        except Exception as error:  # noqa: BLE001 - it is logged, and ends this connection alone
            self._failed(error)
        else:
            if work is not None:
                self._start(work)
