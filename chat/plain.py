"""The plain routes: frame in, frame out, and errors as text. What tutorials begin with."""

import asyncio
import random
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import ClassVar

from chat.conf import conf
from realtime.asgi import unknown_route
from realtime.consumers import SocketConsumer, login_secret
from realtime.hub import Subscription
from realtime.limits import check_length
from realtime.protocol import Close, CloseCode, Refused
from realtime.scope import Receive, Scope, Send
from realtime.secrecy import NOT_SAYABLE, holds_secret

TEXT_ONLY = "text only"
MAX_PREFIX = 100
MIN_EVERY, MAX_EVERY = 0.1, 3600.0


def check_secrets(text: str) -> None:
    """Raise Refused for a text that others would read and that holds somebody's secret."""
    if holds_secret(text):
        raise Refused("invalid", NOT_SAYABLE)


class EchoConsumer(SocketConsumer):
    """`/ws/echo/`: every frame comes back as it was; `?prefix=` goes before text."""

    def __init__(self) -> None:
        super().__init__()
        self.prefix = ""

    async def opened(self) -> None:
        """Take the prefix from the address."""
        self.prefix = self.query.get("prefix", "")
        if len(self.prefix) > MAX_PREFIX:
            raise Refused("too_long", f"Prefix too long (max {MAX_PREFIX} chars)", close=CloseCode.POLICY)

    def on_text(self, text: str) -> Awaitable[None] | None:
        """Text comes back as text."""
        check_length(text)
        return self.answer_at_once(self.prefix + text)

    def on_bytes(self, data: bytes) -> Awaitable[None] | None:
        """Binary comes back as binary."""
        return self.answer_at_once(data)


class GreetConsumer(SocketConsumer):
    """`/ws/greet/`: the first frame is a name; the answer is the last."""

    async def on_text(self, text: str) -> None:
        """Greet and close."""
        check_length(text)
        await self.reply(f"Hello {text}!")
        raise Close(CloseCode.DONE)

    async def on_bytes(self, data: bytes) -> None:
        """A name is text."""
        raise Refused("invalid", TEXT_ONLY)


class TimeConsumer(SocketConsumer):
    """`/ws/time/`: the time at once, then at random intervals of 0 to 3 s, or every `?every=` seconds."""

    async def opened(self) -> None:
        """Start telling."""
        self.spawn(self._tell(self._every()))

    def _every(self) -> float | None:
        given = self.query.get("every")
        if given is None:
            return None
        try:
            every = float(given)
        except ValueError:
            every = float("nan")
        if not MIN_EVERY <= every <= MAX_EVERY:
            message = f"every: expected seconds from {MIN_EVERY:g} to {MAX_EVERY:g}"
            raise Refused("invalid", message, close=CloseCode.POLICY)
        return every

    async def _tell(self, every: float | None) -> None:
        while True:
            await self.reply(datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"))
            await asyncio.sleep(random.uniform(0, 3) if every is None else every)

    async def on_bytes(self, data: bytes) -> None:
        """What a client says here is ignored."""


class GroupConsumer(SocketConsumer):
    """What broadcast and relay share: all connections of the route, in every process.

    CHORUS_PLAIN_ROUTES says whose they are.
    """

    group: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.login_required = conf.plain_routes == "members"
        self.subscription: Subscription | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; switched off, it is an address that is not there."""
        if conf.plain_routes == "off":
            await unknown_route(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def opening(self) -> None:
        """Join the route's group: whoever is connected gets whatever is sent from then on."""
        self.subscription = Subscription(self.outbox, opened=False)
        await self.hub.join(self.group, self.subscription)

    async def opened(self) -> None:
        """Be one of it."""
        assert self.subscription is not None
        self.subscription.open = True

    async def pass_on(self, text: str) -> None:
        """Tell the others."""
        raise NotImplementedError

    async def on_text(self, text: str) -> None:
        """Text goes to others, unless it is a login where one is needed."""
        self.count(text)
        secret = login_secret(text) if self.login_required else None
        if secret is not None:
            await self.log_in(secret)
            return
        check_length(text)
        check_secrets(text)
        self.owe(self.hub.cost_of(self.group))
        await self.pass_on(text)

    def closed(self) -> None:
        """Leave it."""
        if self.subscription is not None:
            self.hub.leave(self.group, self.subscription)


class BroadcastConsumer(GroupConsumer):
    """`/ws/broadcast/`: every frame goes as it is to every connection, the sender's included."""

    group = "chat.broadcast"

    async def pass_on(self, text: str) -> None:
        """Text stays text."""
        self.hub.publish(self.group, text)
        await self.outbox.drain()

    async def on_bytes(self, data: bytes) -> None:
        """Binary stays binary."""
        self.count(data)
        check_length(data)
        check_secrets(data.decode("latin-1"))
        self.owe(self.hub.cost_of(self.group))
        self.hub.publish(self.group, data)
        await self.outbox.drain()


class RelayConsumer(GroupConsumer):
    """`/ws/relay/`: every text goes to everyone but its sender."""

    group = "chat.relay"

    async def pass_on(self, text: str) -> None:
        """Quote it."""
        self.hub.publish(self.group, f"Someone said: {text}", but=self.subscription)

    async def on_bytes(self, data: bytes) -> None:
        """Only text can be quoted."""
        self.count(data)
        raise Refused("invalid", TEXT_ONLY)


class SecureEchoConsumer(SocketConsumer):
    """`/ws/secure-echo/`: an echo with the sender's name, for those who are logged in."""

    login_required = True

    async def on_text(self, text: str) -> None:
        """Echo, unless it is a login."""
        secret = login_secret(text)
        if secret is not None:
            await self.log_in(secret)
            return
        check_length(text)
        await self.reply(f"[{self.identity.name}] {text}")

    async def on_bytes(self, data: bytes) -> None:
        """A name cannot be put before binary."""
        raise Refused("invalid", TEXT_ONLY)
