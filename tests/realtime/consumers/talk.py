"""Consumers that do what a test asks for, and sockets to them."""

import asyncio
from typing import Any, Literal

from django.urls import re_path

from accounts.credentials import Credentials
from realtime import db
from realtime.asgi import websocket_application
from realtime.consumers.commands import JsonConsumer, command
from realtime.consumers.socket import SocketConsumer
from realtime.hub.hub import current_hub
from realtime.protocol import Close, CloseCode, Command, Event, Refused
from realtime.testing import connect


class Ask(Command):
    action: Literal["ask"] = "ask"
    what: str = ""
    number: int = 0


class Store(Command):
    action: Literal["store"] = "store"


class Told(Event):
    type: Literal["told"] = "told"
    what: str
    id: str | None = None


class Talk(JsonConsumer):
    """A consumer that does what a test asks for."""

    last: "Talk"
    at_opening: BaseException | None = None
    at_closing: BaseException | None = None

    def __init__(self) -> None:
        super().__init__()
        type(self).last = self
        self.happened: list[str] = []
        self.storing: list[asyncio.Future[str]] = []

    async def opened(self) -> None:
        self.happened.append("opened")
        if self.at_opening is not None:
            raise self.at_opening
        await self.reply(Told(what=f"hello {self.identity.name.partition('-')[0]}"))

    async def identified(self) -> None:
        self.happened.append("identified")
        await self.reply(Told(what=f"hello again {self.identity.name}"))

    def closed(self) -> None:
        self.happened.append("closed")
        if self.at_closing is not None:
            raise self.at_closing

    @command(Ask)
    async def ask(self, asked: Ask) -> None:
        match asked.what:
            case "a bug":
                raise ZeroDivisionError("oh")
            case "the database":
                raise db.Unavailable("away")
            case "no":
                raise Refused("forbidden", "No.")
            case "never":
                raise Refused("forbidden", "Never.", close=CloseCode.NOT_ALLOWED)
            case "bye":
                raise Close(CloseCode.DONE, "bye")
            case "a bug beside":
                self.spawn(self._fail())
            case "end":
                self.end(CloseCode.REVOKED, "revoked")
            case _:
                await self.reply(Told(what=asked.what, id=asked.id))

    async def _fail(self) -> None:
        raise ZeroDivisionError("oh")

    @command(Store)
    async def store(self, _: Store) -> None:
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.storing.append(future)
        await self.answer_later(future, _.id, lambda what: Told(what=what) if what else None)


class MoreTalk(Talk):
    """A consumer that knows one command more than its base."""

    class Shout(Command):
        action: Literal["shout"] = "shout"

    @command(Shout)
    async def shout(self, _: Shout) -> None:
        await self.reply(Told(what="LOUD"))


class Members(SocketConsumer):
    """A plain consumer for who is logged in."""

    login_required = True

    async def on_text(self, text: str) -> None:
        await self.reply(f"[{self.identity.name}] {text}")


APPLICATION = websocket_application(
    [
        re_path(r"^talk/$", Talk.as_asgi()),
        re_path(r"^more/$", MoreTalk.as_asgi()),
        re_path(r"^members/$", Members.as_asgi()),
    ],
    credentials=Credentials,
)


def talk(path: str = "/talk/", **options: Any) -> Any:
    """Open a socket to one of the consumers above."""
    return connect(path, application=APPLICATION, **options)


def held_by() -> dict[str, int]:
    """Who holds sockets of this process."""
    return dict(current_hub().sockets._by_holder)  # noqa: SLF001 - none may be left, and none is shown
