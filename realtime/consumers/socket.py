"""The base of all consumers: one loop per socket, from its handshake to its end, with limits and cleanup that runs.

    handshake ──► opening ──► accept ──► log in first? ──► opened ──► on_text, on_bytes … ──► closed
                                                                 └── push, spawn, end: from others

It keeps Channels' surface (consumers are classes, `as_asgi()`, URL routing) and leaves out what costs most there: no
layer channel of its own, no thread hop and no task for each message. A subclass says what a frame does:

    class Shout(SocketConsumer):
        async def on_text(self, text: str) -> None:
            await self.reply(text.upper())

What speaks JSON is a JsonConsumer (realtime.consumers.commands), what reads one stream a StreamConsumer
(realtime.consumers.stream).
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

from realtime import db
from realtime.access import Identity, Rights
from realtime.consumers.login import Speaker
from realtime.hub.hub import current_hub
from realtime.hub.outbox import Connection, DirectOutbox, QueuedOutbox
from realtime.limits import check_size, size_of
from realtime.protocol import Close, CloseCode, Refused
from realtime.rates import Bucket
from realtime.scope import Receive, Scope, Send, query_of, refuse_handshake

SUBPROTOCOL = "chorus.v1"
"""What docs/protocol.md describes, by the name that a client may offer as `Sec-WebSocket-Protocol`."""
RETURN_SECONDS, RETURNS_PER_SECOND = 5.0, 500
"""Clients of a stopped server come back within so many seconds, and no more of them per second than that."""

KEPT = ("path", "peer", "verify", "authenticate")
"""What of a scope is asked for once its socket is open."""

LAGS, LAG_SECONDS = 3, 60.0
"""So often in this time a reader may be too slow; then it is closed."""

UNAVAILABLE = "Storage is not available, so whether this happened is unknown. Send it again with the same id."

logger = logging.getLogger("chorus.socket")


class SocketConsumer(Speaker):
    """A socket whose frames go to `on_text` and `on_bytes`. All state is set in `__init__`."""

    # A process has one for each socket, and a dict for so many attributes would be most of it.
    __slots__ = (
        *("behind", "id", "opened_at", "messages_in", "bytes_in"),
        *("_receive", "_in_flight", "_started", "_lags"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.behind = 0
        """How many of the streams that it follows are being replayed, since too much waited for it."""
        self._lags: Bucket | None = None
        self.id = f"{random.getrandbits(64):016x}"
        """Names this connection, for admin."""
        self.opened_at = datetime.now(UTC)
        self.messages_in = 0
        self.bytes_in = 0
        self._in_flight: set[asyncio.Future[Any]] | None = None
        """What commands wait for that were not answered yet, if any ever did."""

    # For subclasses.

    async def opening(self) -> None:
        """Called before the handshake is answered: what a client may rely on as soon as it is connected."""

    async def opened(self) -> None:
        """Called once the socket may be used; may raise Refused."""

    def on_text(self, text: str) -> Awaitable[None] | None:
        """Handle a text frame; may raise Refused or Close. `async` where it has to wait for something."""

    def on_bytes(self, data: bytes) -> Awaitable[None] | None:
        """Handle a binary frame; likewise."""
        raise Close(CloseCode.UNSUPPORTED_DATA, "text only")

    def reads(self) -> frozenset[str]:
        """The keys of the streams that this socket is in."""
        return frozenset()

    def reviewed(self, now: Identity | str, rights: Mapping[str, Rights | None]) -> None:
        """Called when who speaks, and their rights in `reads`, were looked at again (connections.review)."""
        if isinstance(now, str):
            self.end(CloseCode.REVOKED, now)
        elif now.login is not None:
            self._go_on_as(now)

    def closed(self) -> None:
        """Called when the socket is gone, however it went. Must not wait."""

    def may_lag(self) -> bool:
        """Count that too much waits for this socket; False where that happens too often."""
        if not self.behind:  # for several streams at once it counts once
            self._lags = self._lags or Bucket(LAGS)
            if self._lags.wait(LAGS / LAG_SECONDS, LAGS):
                return False
            self._lags.spend(1)
        return True

    # The loop.

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection: to its end, or under our server until it is open and handed over."""
        self.scope = scope
        self.hub = current_hub()
        self._receive, self._send = receive, scope.get("server_send", send)
        if self.hub.sockets.full():
            await refuse_handshake(scope, receive, self._send, 503, retry_after=5)
            return
        if (await receive())["type"] != "websocket.connect":
            return
        connection: Connection | None = scope.get("extensions", {}).get("chorus.connection")
        self._prepare(connection)
        self.hub.sockets.total += 1
        handed_over = False
        try:
            await self.opening()
            await self._send({"type": "websocket.accept", "subprotocol": self._subprotocol()})
            self.hub.sockets.add(self)
            self.log("connect")
            is_well = await self._guard(self._let_in())
            if connection is None and is_well:
                await self._run()
            elif connection is not None:
                self._forget_request()
                connection.hand_over(self)
                handed_over = True
        finally:
            if not handed_over:
                self.ended(CloseCode.INTERNAL, "")

    def _forget_request(self) -> None:
        """Keep of the scope what is asked for on the open socket: it is in memory for as long as that."""
        del self._receive
        self.scope = {name: self.scope[name] for name in KEPT if name in self.scope}

    def _subprotocol(self) -> str | None:
        """Some clients must have one (RFC 6455 §4.1): ours, where they offer it."""
        return SUBPROTOCOL if SUBPROTOCOL in self.scope.get("subprotocols", ()) else None

    def _prepare(self, connection: Connection | None) -> None:
        self._started = time.monotonic()
        self.query = query_of(self.scope)
        self._identify()
        if connection is not None:
            self.outbox = DirectOutbox(connection, self._overflow)
        else:
            self.outbox = QueuedOutbox(self._send, self._overflow)

    async def _let_in(self) -> None:
        self._hold()
        await self._log_in_first()
        await self.opened()

    async def _run(self) -> None:
        """Under any other server: take what is received, to the end."""
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                self._ended = self._ended or (message.get("code", 1005), message.get("reason", ""))
                return
            if message["type"] == "websocket.receive":
                text, data = message.get("text"), message.get("bytes")
                work = self.take((data or b"") if text is None else text)
                if work is not None and not await work:
                    return

    def take(self, message: str | bytes) -> Coroutine[Any, Any, bool] | None:
        """Handle a frame, or give what has to be awaited before the next one is handled."""
        if self._ended is not None:  # nothing is taken from who was told to go
            return None
        size = size_of(message)
        self.messages_in += 1
        self.bytes_in += size
        work: Awaitable[None] | None
        try:
            check_size(message)  # our own server has done so already
            work = self.on_text(message) if isinstance(message, str) else self.on_bytes(message)
        except Exception as error:  # noqa: BLE001 - it is told, or logged, where those of other handlers are
            work = _failed(error)
        return None if work is None else self._guard(self._answering(work))

    def stop(self) -> Coroutine[Any, Any, bool]:
        """The server stops, and all that came before was taken."""
        return self._guard(self._drain())

    def ended(self, code: int, reason: str) -> None:
        """The connection is gone, with this code and reason unless its end was decided here."""
        self._ended = self._ended or (code, reason)
        self.hub.sockets.total -= 1
        self.hub.sockets.discard(self)
        self._clean_up()
        seconds = round(time.monotonic() - self._started, 3)
        self.log("close", seconds=seconds, code=int(self._ended[0]))

    async def _first_text(self) -> str:
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self._ended = (message.get("code", 1005), "")
            raise Close(CloseCode.DONE)
        return message.get("text") or ""

    async def _answering(self, work: Awaitable[None], id: str | None = None) -> None:
        """Run a handler; what it refuses is told to the client."""
        try:
            await work
        except Refused as refusal:
            await self._tell_refused(refusal, id)
        except db.Unavailable:
            await self.refused(Refused("unavailable", UNAVAILABLE), id)

    async def _tell_refused(self, refusal: Refused, id: str | None) -> None:
        self.log("refused", code=refusal.code)
        await self.refused(refusal, id)
        if refusal.close:
            raise Close(refusal.close, refusal.message)

    async def _drain(self) -> NoReturn:
        """The server stops: what was received is finished, then the client is told when to come back."""
        self.hub.presence.drain()
        while self._in_flight:
            await asyncio.wait(self._in_flight)
        window = max(RETURN_SECONDS, self.hub.sockets.total / RETURNS_PER_SECOND)
        raise Close(CloseCode.RESTARTING, f"retry_after={random.uniform(0.5, window):.1f}")

    def _clean_up(self) -> None:
        for task in self._tasks or ():
            task.cancel()
        self._forget_expiry()
        self._let_go()
        try:
            self.closed()
        except Exception:
            logger.exception("clean-up failed", extra=self._context())


async def _failed(error: Exception) -> None:
    raise error
