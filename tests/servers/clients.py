"""Clients of a real server, as the people of `TOKENS` or as guests."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.processes import PASSWORD, TOKENS, RedisServer, Server, serve

Event = dict[str, Any]


@dataclass
class Site:
    """A database and a Redis that several server processes share."""

    env: dict[str, str]
    data_dir: Path
    redis: RedisServer

    def serve(self, *, workers: int = 1) -> AbstractContextManager[Server]:
        """Run one more server of this site."""
        return serve(self.env, workers=workers, data_dir=self.data_dir)


def bearer(person: str) -> dict[str, str]:
    """Headers that log a person in."""
    return {"Authorization": f"Bearer {TOKENS[person]}"}


class Member:
    """Somebody in a room."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.joined: Event = {}
        self.heard: list[Event] = []
        """All that came so far."""

    async def next(self, type: str, **fields: Any) -> Event:
        """Wait for an event of that type and with those fields; what comes before it is passed over."""
        while True:
            event: Event = json.loads(await self.socket.recv())
            self.heard.append(event)
            if event["type"] == type and fields.items() <= event.items():
                return event

    @property
    def said(self) -> list[Event]:
        """The chat events that came so far, live or replayed, but not answers to a repeated id."""
        entries = [entry for event in self.heard for entry in (event, *event.get("messages", ()))]
        return [entry for entry in entries if entry["type"] == "chat" and "duplicate" not in entry]

    async def send(self, action: str, **fields: Any) -> None:
        """Send a command."""
        await self.socket.send(json.dumps({"action": action, **fields}))

    async def say(self, text: str, id: str | None = None) -> Event:
        """Say something and wait for the acknowledgement."""
        own = id or str(uuid4())
        await self.send("send", text=text, id=own)
        return await self.next("chat", id=own)

    async def talk(self, count: int) -> list[int]:
        """Say something as often, each time waiting for the acknowledgement; returns the positions."""
        return [(await self.say(f"{number} of {count}"))["seq"] for number in range(1, count + 1)]

    async def until_seq(self, seq: int) -> None:
        """Wait until the entry at that position has come, if it has not."""
        while not self.said or self.said[-1]["seq"] < seq:
            await self.next("chat")

    async def hear(self, text: str) -> Event:
        """Wait until somebody says it."""
        return await self.next("chat", message=text)


@asynccontextmanager
async def member(
    server: Server, person: str | None = None, room: str = "lobby", **query: str | int
) -> AsyncIterator[Member]:
    """Somebody in a room, from its `joined` on; a guest unless a person of TOKENS is named."""
    address = f"{server.ws}/ws/chat/{room}/?{urlencode(query)}"
    async with connect(address, additional_headers=bearer(person) if person else None) as socket:
        one = Member(socket)
        one.joined = await one.next("joined")
        yield one


async def users_in(server: Server, room: str, *names: str) -> Event:
    """Look into a room until exactly these people and root, who looks, are in it; returns `users`."""
    while True:
        async with member(server, "root", room) as root:
            users: Event = root.joined["users"]
        if users["names"] == sorted([*names, "root"]):
            return users


async def closed(socket: ClientConnection) -> tuple[int, str]:
    """Read to the end; returns close code and reason."""
    try:
        while True:
            await socket.recv()
    except ConnectionClosed:
        return socket.close_code or 1006, socket.close_reason or ""


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait for what nobody announces; `condition` may block."""
    while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - there is nothing to wait on
        await asyncio.sleep(0.05)


@dataclass
class Page:
    """An answer over HTTP."""

    status: int
    headers: Message
    text: str


def get(server: Server, path: str, **headers: str) -> Page:
    """Ask for a page; redirects are not followed."""
    with closing(HTTPConnection("127.0.0.1", server.port)) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return Page(answer.status, answer.headers, answer.read().decode(errors="replace"))


def log_in_with_browser(server: Server, person: str) -> str:
    """Log in on the login page; returns the Cookie header that a browser would send from then on."""
    cookies = CookieJar()
    browser = build_opener(HTTPCookieProcessor(cookies))
    page = f"{server.http}/accounts/login/"
    with browser.open(page) as response:
        form = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', response.read().decode())
    assert form is not None
    answers = {"csrfmiddlewaretoken": form[1], "username": person, "password": PASSWORD}
    browser.open(page, urlencode(answers).encode()).close()
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in cookies)
