"""The base consumers: one loop per socket, login, limits, a typed command to one method, cleanup that runs.

They keep Channels' surface (consumers are classes, `as_asgi()`, URL routing) and leave out what costs most
there: no layer channel of their own, no thread hop and no task for each message.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, NoReturn

from channels.consumer import AsyncConsumer

from realtime import db
from realtime.access import Credential, Identity, Rights, Verify
from realtime.conf import conf
from realtime.hub.hub import Hub, hub
from realtime.hub.outbox import Burst, DirectOutbox, Frame, FrameWriter, Outbox, QueuedOutbox
from realtime.limits import CommandRate
from realtime.log import log
from realtime.protocol import AuthResult, CloseCode, Event, Refused, parse_object
from realtime.scope import Receive, Scope, Send, loggable, query_of, refuse_handshake

RETURN_SECONDS = 5.0
"""Within this time clients of a stopped server come back, each at a random moment of it."""
RETURNS_PER_SECOND = 500
"""More clients than that come back over a longer time: another process has to take them all."""

REASON_BYTES = 123
"""What a close frame has room for (RFC 6455 §5.5)."""

NOBODY = Identity("guest:", "Guest")
"""Who speaks on a socket before that is known."""

logger = logging.getLogger("chorus.socket")


class Close(Exception):
    """Raised in a handler to close the socket."""

    def __init__(self, code: CloseCode, reason: str = "") -> None:
        super().__init__(f"{code:d} {reason}")
        self.code = code
        self.reason = reason


class SocketConsumer(AsyncConsumer):
    """A socket whose frames go to `on_text` and `on_bytes`. All state is set in `__init__`."""

    # A process has one for each socket, and a dict for so many attributes would be most of it.
    __slots__ = (
        *("scope", "hub", "outbox", "identity", "query", "rate", "id", "opened_at", "messages_in", "bytes_in"),
        *("_receive", "_send", "_holder", "_expiry", "_tasks", "_in_flight", "_ended"),
    )

    login_required: ClassVar[bool] = False

    hub: Hub
    outbox: Outbox

    def __init__(self) -> None:
        super().__init__()
        self.identity = NOBODY
        self.query: dict[str, str] = {}
        """The query string; of a name given twice, the last."""
        self.rate = CommandRate()
        self.id = f"{random.getrandbits(64):016x}"
        """Names this connection, for admin."""
        self.opened_at = datetime.now(UTC)
        self.messages_in = 0
        self.bytes_in = 0
        self._holder = ""
        self._expiry: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_flight: set[asyncio.Future[Any]] = set()
        self._ended: tuple[int, str] | None = None

    # For subclasses.

    async def opening(self) -> None:
        """Called before the handshake is answered: what a client may rely on as soon as it is connected."""

    async def opened(self) -> None:
        """Called once the socket may be used; may raise Refused."""

    async def on_text(self, text: str) -> None:
        """Handle a text frame; may raise Refused or Close."""

    async def on_bytes(self, data: bytes) -> None:
        """Handle a binary frame; may raise Refused or Close."""
        raise Close(CloseCode.UNSUPPORTED_DATA, "text only")

    async def identified(self) -> None:
        """Called when a login on the open socket has changed who is speaking, or what by."""

    def reads(self) -> frozenset[str]:
        """The keys of the streams that this socket is in."""
        return frozenset()

    def reviewed(self, now: Identity | str, rights: Mapping[str, Rights | None]) -> None:
        """Called when who speaks, and their rights in `reads`, were looked at again (connections.review)."""
        if isinstance(now, str):
            self.end(CloseCode.REVOKED, now)
            return
        self.identity = now
        self._expire_in_time()

    def closed(self) -> None:
        """Called when the socket is gone, however it went. Must not wait."""

    async def refused(self, refusal: Refused, id: str | None) -> None:
        """Tell the client why its frame was not accepted."""
        await self.reply(f"Error: {refusal.message}")

    # What handlers use.

    async def reply(self, message: Event | str | bytes) -> None:
        """Send to this socket, and wait until it has room."""
        await self.outbox.send(Frame(message.encode() if isinstance(message, Event) else message))

    def push(self, frame: Frame | Burst) -> None:
        """Send to this socket without waiting: a reader that is too slow is closed."""
        if self._ended is None:
            self.outbox.push(frame)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside the loop; it ends with the socket, and the socket ends if it fails."""
        task = asyncio.create_task(self._guard(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def end(self, code: CloseCode, reason: str = "") -> None:
        """Close from outside the loop; the loop ends when the server confirms."""
        if self._ended is None:
            self._ended = (code, reason)
            self.spawn(self._send_close())

    def matches(self, wanted: Mapping[str, str]) -> bool:
        """Tell whether all of these apply: `connection`, `user`, `token`, `stream`, `identity`, each as text."""
        login = self.identity.login
        facts = {
            "connection": {self.id},
            "identity": {self.identity.key},
            "user": {str(login.user)} if login else set(),
            "token": {str(login.token)} if login else set(),
            "stream": self.reads(),
        }
        return all(value in facts[name] for name, value in wanted.items())

    @property
    def verify(self) -> Verify | None:
        """What looks at this socket's login again."""
        found: Verify | None = self.scope.get("verify")
        return found

    # The loop.

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, from its handshake to its end."""
        self.scope = scope
        self.hub = hub()
        self._receive, self._send = receive, scope.get("server_send", send)
        if self.hub.sockets.full():
            await refuse_handshake(scope, receive, self._send, 503, retry_after=5)
            return
        if (await receive())["type"] != "websocket.connect":
            return
        started = time.monotonic()
        self._prepare()
        self.hub.sockets.total += 1
        try:
            await self.opening()
            await self._send({"type": "websocket.accept"})
            self.hub.review.sockets.add(self)
            self._log("connect")
            await self._guard(self._run())
        finally:
            self.hub.sockets.total -= 1
            self.hub.review.sockets.discard(self)
            self._clean_up()
            code, _ = self._ended or (CloseCode.INTERNAL, "")
            self._log("close", seconds=round(time.monotonic() - started, 3), code=int(code))

    def _prepare(self) -> None:
        scope = self.scope
        self.query = query_of(scope)
        user = scope.get("user")
        if user is not None and user.is_authenticated:
            self.identity = Identity.of_user(user, scope.get("token"), scope.get("session_key"))
            self._expire_in_time()
        else:
            self.identity = Identity.of_guest(scope.get("guest_key"))
        writer: FrameWriter | None = scope.get("extensions", {}).get("chorus.frames")
        if writer is not None:
            writer.drains = True
            self.outbox = DirectOutbox(writer, self._overflow)
        else:
            self.outbox = QueuedOutbox(self._send, self._overflow)

    async def _run(self) -> None:
        self._hold()
        await self._log_in_first()
        await self.opened()
        while True:
            message = await self._receive()
            match message["type"]:
                case "websocket.receive" if self._ended is None:  # nothing is taken from who was told to go
                    await self._on_frame(message)
                case "websocket.disconnect":
                    self._ended = self._ended or (message.get("code", 1005), message.get("reason", ""))
                    return
                case "chorus.shutdown":
                    await self._drain()

    async def _guard(self, work: Awaitable[None]) -> None:
        """Turn what escapes a handler into a close; an exception of ours never reaches the server."""
        try:
            await work
        except Close as close:
            self._ended = self._ended or (close.code, close.reason)
            await self._send_close()
        except Refused as refusal:
            # A browser cannot read why a handshake was refused, so it is said on the open socket.
            await self.refused(refusal, None)
            self._ended = self._ended or (refusal.close or CloseCode.NOT_ALLOWED, refusal.message)
            await self._send_close()
        except db.Unavailable:
            await self.refused(Refused("unavailable", "Storage is not available. Come back in a moment."), None)
            self._ended = self._ended or (CloseCode.TRY_LATER, "storage unavailable")
            await self._send_close()
        except Exception:
            logger.exception("socket failed", extra=self._context())
            self._ended = self._ended or (CloseCode.INTERNAL, "")
            await self._send_close()

    async def _send_close(self) -> None:
        assert self._ended is not None
        code, reason = self._ended
        reason = reason.encode()[:REASON_BYTES].decode(errors="ignore")
        await self.outbox.finish()
        for sent in (int(code), int(CloseCode.DONE)):  # Daphne sends only this one and 3000 to 4999
            try:
                await self._send({"type": "websocket.close", "code": sent, "reason": reason})
            except Exception as error:  # noqa: BLE001 - a server may raise anything for a peer that is gone
                logger.debug("close %d not sent: %s", sent, error)
            else:
                return

    async def _on_frame(self, message: dict[str, Any]) -> None:
        text, data = message.get("text"), message.get("bytes")
        self.messages_in += 1
        self.bytes_in += size_of(data if text is None else text)
        if too_big(data if text is None else text):
            raise Close(CloseCode.TOO_BIG, "frame too big")  # our own server has refused it already
        await self._answering(self.on_text(text) if text is not None else self.on_bytes(data or b""))

    async def _answering(self, work: Awaitable[None], id: str | None = None) -> None:
        """Run a handler; what it refuses is told to the client."""
        try:
            await work
        except Refused as refusal:
            await self._tell_refused(refusal, id)
        except db.Unavailable:
            await self.refused(Refused("unavailable", UNAVAILABLE), id)

    async def _tell_refused(self, refusal: Refused, id: str | None) -> None:
        self._log("refused", code=refusal.code)
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

    def _overflow(self) -> None:
        self.end(CloseCode.SLOW_READER, "slow reader")

    def _clean_up(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._expiry is not None:
            self._expiry.cancel()
        if self._holder:
            self.hub.sockets.leave(self._holder)
        try:
            self.closed()
        except Exception:
            logger.exception("clean-up failed", extra=self._context())

    # Login.

    async def _log_in_first(self) -> None:
        if why := self.scope.get("bad_token"):
            await self._deny(why)
        if self.query.get("login") != "message" and (self.identity.user is not None or not self.login_required):
            return
        try:
            async with asyncio.timeout(conf.login_timeout or None):
                message = await self._receive()
        except TimeoutError:
            await self._deny("Authentication timeout")
        if message["type"] == "chorus.shutdown":
            await self._drain()
        if message["type"] == "websocket.disconnect":
            self._ended = (message.get("code", 1005), "")
            raise Close(CloseCode.DONE)
        secret = login_secret(message.get("text") or "")
        if secret is None:
            await self._deny('Authentication required: send {"token": "…"} first')
        await self._log_in(secret)

    async def log_in(self, secret: str) -> None:
        """Become the owner of a token on the open socket, or be told off and closed with 1008."""
        await self._log_in(secret)
        await self.identified()

    async def _log_in(self, secret: str) -> None:
        authenticate: Callable[[str], Awaitable[Credential | None]] | None = self.scope.get("authenticate")
        try:
            token = await authenticate(secret) if authenticate else None
        except Refused as refusal:
            await self._deny(refusal.message)
        if token is None:
            await self._deny("Invalid token")
        self.identity = Identity.of_user(token.owner, token)
        self._expire_in_time()
        self._hold()
        self._log("login")
        await self.reply(AuthResult(status="ok", username=self.identity.name))

    async def _deny(self, message: str) -> NoReturn:
        self._log("login denied: %s", message)
        await self.reply(AuthResult(status="error", message=message))
        raise Close(CloseCode.POLICY, "Authentication failed")

    def _expire_in_time(self) -> None:
        """End with the token, to the second. What ends after the next review is left to that, without a timer."""
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        seconds = None if self.identity.token is None else self.identity.token.seconds_left
        if seconds is not None and seconds < 2 * conf.review_interval:
            loop = asyncio.get_running_loop()
            self._expiry = loop.call_later(seconds, self.end, CloseCode.REVOKED, "token expired")

    def _hold(self) -> None:
        """Count this socket for its user, or a guest's for its address."""
        holder = self.identity.key if self.identity.user else self.scope.get("address") or "?"
        if self._holder:
            self.hub.sockets.leave(self._holder)
            self._holder = ""
        if not self.hub.sockets.enter(holder):
            raise Refused("rate_limited", "Too many connections", close=CloseCode.TRY_LATER)
        self._holder = holder

    # Log lines: one on connect, one on close.

    def _context(self) -> dict[str, Any]:
        return {
            "route": loggable(str(self.scope.get("path", ""))),
            "who": self.identity.name,
            "address": self.scope.get("address", ""),
        }

    def _log(self, what: str, *args: object, **facts: object) -> None:
        log(logger, what, *args, **{**self._context(), **facts})


UNAVAILABLE = "Storage is not available, so whether this happened is unknown. Send it again with the same id."


def size_of(frame: str | bytes | None) -> int:
    """How many bytes a frame has."""
    if not frame:
        return 0
    return len(frame) if isinstance(frame, bytes) or frame.isascii() else len(frame.encode())


def too_big(frame: str | bytes | None) -> bool:
    """Tell whether a frame has more bytes than a client may send at once."""
    limit = conf.max_frame_bytes
    if not limit or not frame or len(frame) <= limit // 4:  # a character has at most four bytes
        return False
    return size_of(frame) > limit


def login_secret(text: str) -> str | None:
    """The token in a login message, or None if the frame is none: an object with `token`, and at most `auth`."""
    if not text.startswith("{") or '"token"' not in text:
        return None
    try:
        value = parse_object(text)
    except Refused:
        return None
    if "token" not in value or value.get("action", "auth") != "auth":
        return None
    return value["token"] if isinstance(value["token"], str) else ""
