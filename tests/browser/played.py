"""A server of sockets played by the test, for what a real one does rarely."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, WebSocketRoute

Json = dict[str, Any]


class Played:
    """The server's side of all connections of a page, newest last."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.received: list[Json] = []
        self.greeting: list[Json] = []
        """What each new connection gets at once."""
        self.pings = 0
        self.deaf = False
        """Whether pings stay without an answer."""
        self.answer: Callable[[Json], Json | None] = lambda command: None
        self.socket: WebSocketRoute | None = None

    def accept(self, socket: WebSocketRoute) -> None:
        self.socket = socket
        self.addresses.append(socket.url)
        socket.on_message(lambda message: self._take(json.loads(message)))
        for event in self.greeting:
            self.send(event)

    def _take(self, command: Json) -> None:
        if command.get("action") == "ping":
            self.pings += 1
            if not self.deaf:
                self.send({"type": "pong", "id": command["id"]})
            return
        self.received.append(command)
        if answer := self.answer(command):
            self.send(answer)

    def send(self, event: Json) -> None:
        assert self.socket is not None
        self.socket.send(json.dumps(event))

    def close(self, code: int, reason: str = "") -> None:
        assert self.socket is not None
        self.socket.close(code=code, reason=reason)


def play(page: Page, server: Played) -> None:
    """Let the server answer on `/ws/played/` of this page."""
    page.route_web_socket(re.compile("/ws/played/"), server.accept)
    page.reload()


def wait_for(page: Page, condition: str) -> None:
    """Playwright's own way evaluates strings in the page, which the content security policy forbids."""
    deadline = time.monotonic() + 15
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, f"{condition}; saw {page.evaluate('[seen, statuses]')}"
        page.wait_for_timeout(20)


def wait_for_ping(page: Page, server: Played, count: int = 1) -> None:
    deadline = time.monotonic() + 15
    while server.pings < count:
        assert time.monotonic() < deadline, server.pings
        page.wait_for_timeout(20)


def wait_for_command(page: Page, server: Played, count: int = 1) -> None:
    deadline = time.monotonic() + 15
    while len(server.received) < count:
        assert time.monotonic() < deadline, server.received
        page.wait_for_timeout(20)
