"""What a socket is sent, and how it ends: the close is the last thing that is sent, once, whoever ends it."""

import asyncio
import logging
from collections.abc import Awaitable, Coroutine
from typing import Any

from channels.consumer import AsyncConsumer

from realtime import db
from realtime.access import Identity
from realtime.hub.outbox import Burst, Frame, Outbox
from realtime.log import log
from realtime.peer import peer_of
from realtime.protocol import Close, CloseCode, Event, Refused
from realtime.scope import Scope, Send, loggable

REASON_BYTES = 123
"""What a close frame has room for (RFC 6455 §5.5)."""

logger = logging.getLogger("chorus.socket")


class Sender(AsyncConsumer):
    """The part of a socket that sends and closes."""

    __slots__ = ("_ended", "_send", "_tasks", "identity", "outbox", "scope")

    scope: Scope
    identity: Identity
    outbox: Outbox
    _send: Send

    def __init__(self) -> None:
        super().__init__()
        self._tasks: set[asyncio.Task[bool]] | None = None
        """What runs beside the loop, while anything does."""
        self._ended: tuple[int, str] | None = None
        """Code and reason, from the moment that the end is decided."""

    def answer_at_once(self, message: str | bytes) -> Awaitable[None] | None:
        """Send to this socket, and give what has to be awaited until it has room, if it has none."""
        return self.outbox.put(Frame(message))

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
        tasks = self._tasks = self._tasks or set()
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def end(self, code: CloseCode, reason: str = "") -> None:
        """Close from outside the loop; the loop ends when the server confirms."""
        if self._ended is None:
            self._ended = (code, reason)
            self.spawn(self._send_close())

    async def refused(self, refusal: Refused, id: str | None) -> None:
        """Tell the client why its frame was not accepted."""
        await self.reply(f"Error: {refusal.message}")

    # Its end.

    async def _guard(self, work: Awaitable[None]) -> bool:
        """Turn what escapes a handler into a close; an exception of ours never reaches the server.

        Tells whether all is well: the socket was not closed for it.
        """
        try:
            await work
        except Close as close:
            self._ended = self._ended or (close.code, close.reason)
        except Refused as refusal:
            # A browser cannot read why a handshake was refused, so it is said on the open socket.
            await self.refused(refusal, None)
            self._ended = self._ended or (refusal.close or CloseCode.NOT_ALLOWED, refusal.message)
        except db.Unavailable:
            await self.refused(Refused("unavailable", "Storage is not available. Come back in a moment."), None)
            self._ended = self._ended or (CloseCode.TRY_LATER, "storage unavailable")
        except Exception:
            logger.exception("socket failed", extra=self._context())
            self._ended = self._ended or (CloseCode.INTERNAL, "")
        else:
            return True
        await self._send_close()
        return False

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

    def _overflow(self) -> None:
        self.end(CloseCode.SLOW_READER, "slow reader")

    # Log lines: one on connect, one on close.

    def _context(self) -> dict[str, Any]:
        return {
            "route": loggable(str(self.scope.get("path", ""))),
            "who": self.identity.name,
            "address": peer_of(self.scope).address,
        }

    def log(self, what: str, *args: object, **facts: object) -> None:
        """Write a line about this socket, with its route, who speaks, and its address."""
        log(logger, what, *args, **{**self._context(), **facts})
