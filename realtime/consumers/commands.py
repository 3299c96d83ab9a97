"""The base consumer of JSON routes: a typed command to one method, answers in the order of commands."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeVar

from realtime import db
from realtime.consumers.socket import UNAVAILABLE, SocketConsumer
from realtime.hub.outbox import Frame
from realtime.protocol import (
    Auth,
    Command,
    ErrorEvent,
    Event,
    Ping,
    Pong,
    Refused,
    client_id,
    is_object,
    parse_object,
    validate,
)
from realtime.rates import PingRate

IN_FLIGHT = 32
"""Commands of one socket that may wait for their commit; more are read when one is answered."""
PING_LENGTH = 1024
"""No ping is longer, in characters; what is longer is not looked at twice."""

logger = logging.getLogger("chorus.socket")
T = TypeVar("T")


def id_in(text: str) -> str | None:
    """The id of a command that is not carried out, so that its sender knows which one to send again."""
    try:
        return client_id(parse_object(text))
    except Refused:
        return None


def ping_in(text: str) -> dict[str, Any] | None:
    """The ping that a frame is, or None. A frame without that word costs no parsing."""
    if len(text) > PING_LENGTH or '"ping"' not in text or not is_object(text):
        return None
    try:
        value = parse_object(text)
    except Refused:
        return None
    return value if value.get("action") == "ping" else None


Handler = Callable[[Any, Any], Awaitable[None]]


def command(model: type[Command]) -> Callable[[Handler], Handler]:
    """Make a method of a JsonConsumer the handler of one typed command."""

    def mark(method: Handler) -> Handler:
        method.command = model  # type: ignore[attr-defined]
        return method

    return mark


class JsonConsumer(SocketConsumer):
    """A socket that speaks JSON commands and events; methods marked with `@command` handle them."""

    __slots__ = ("_pings",)

    names_people = True
    commands: ClassVar[dict[str, tuple[type[Command], Handler]]] = {}

    def __init__(self) -> None:
        super().__init__()
        self._pings: PingRate | None = None
        """Made with the first ping: most sockets send none."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Collect the handlers by the action that each names."""
        super().__init_subclass__(**kwargs)
        found = {
            model.model_fields["action"].default: (model, method)
            for method in vars(cls).values()
            if (model := getattr(method, "command", None)) is not None
        }
        cls.commands = {**cls.commands, **found}

    async def on_other_text(self, text: str) -> None:
        """Handle a text that is no JSON object; may raise Refused."""
        raise Refused("bad_json", "Expected a JSON object")

    async def _first_text(self) -> str:
        """Answer pings while a login is waited for."""
        while (ping := ping_in(text := await super()._first_text())) is not None:
            await self._answering(self._pong(ping), client_id(ping))
        return text

    async def _pong(self, ping: dict[str, Any]) -> None:
        """Answer a ping, which is no command: it neither waits for commands nor counts with them."""
        self._pings = self._pings or PingRate()
        self._pings.take()
        await self.reply(Pong(id=validate(Ping, ping).id))

    async def on_text(self, text: str) -> None:
        if (ping := ping_in(text)) is not None:
            await self._answering(self._pong(ping), client_id(ping))
            return
        try:
            self.count(text)
        except Refused as refusal:
            await self._tell_refused(refusal, id_in(text))
            return
        if not is_object(text):
            await self.on_other_text(text)
            return
        value = parse_object(text)
        await self._answering(self._dispatch(value), client_id(value))

    async def _dispatch(self, value: dict[str, Any]) -> None:
        action = value.get("action", "auth" if "token" in value else None)
        if action == "auth":
            await self.log_in(validate(Auth, value).token)
            return
        if action == "ping":  # one that did not look like it at first: it is long, or spelled with escapes
            await self._pong(value)
            return
        found = self.commands.get(action) if isinstance(action, str) else None
        if found is None:
            known = ", ".join(sorted(self.commands))
            raise Refused("unsupported_action", f"Unknown action; this route knows: {known}")
        model, handler = found
        await handler(self, validate(model, value))

    async def refused(self, refusal: Refused, id: str | None) -> None:
        await self.reply(ErrorEvent.of(refusal, id))

    async def answer_later(
        self, future: "asyncio.Future[T]", id: str | None, answer: Callable[[T], Event | None]
    ) -> None:
        """Reply when `future` is done, without keeping the next command waiting; in the order of commands.

        Waits itself while IN_FLIGHT commands of this socket are under way.
        """
        in_flight = self._in_flight = self._in_flight or set()

        def done(finished: "asyncio.Future[T]") -> None:
            in_flight.discard(finished)
            event: Event | None
            try:
                event = answer(finished.result())
            except Refused as refusal:
                event = ErrorEvent.of(refusal, id)
            except db.Unavailable:
                event = ErrorEvent.of(Refused("unavailable", UNAVAILABLE), id)
            except Exception:
                logger.exception("a command failed", extra=self._context())
                event = ErrorEvent.of(Refused("unavailable", UNAVAILABLE), id)
            if event is not None:
                self.push(Frame(event.encode()))

        in_flight.add(future)
        future.add_done_callback(done)
        while len(in_flight) >= IN_FLIGHT:
            await asyncio.wait(in_flight, return_when=asyncio.FIRST_COMPLETED)
