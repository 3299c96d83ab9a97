"""Event streams of a real server, read as a browser reads them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.processes import Server

SECONDS = 10.0
ALERTS = "/api/notifications/alerts/stream"


@dataclass
class Told:
    """One event."""

    type: str
    id: str | None
    data: dict[str, Any]


class Reader:
    """Reads an event stream as EventSource does (HTML Living Standard §9.2.6)."""

    def __init__(self, lines: asyncio.StreamReader, status: int, headers: dict[str, str]) -> None:
        self.lines = lines
        self.status = status
        self.headers = headers
        self.last_id = ""

    async def line(self) -> str:
        """The next line that is no size of a chunk (RFC 9112 §7.1)."""
        async with asyncio.timeout(SECONDS):
            return (await self.lines.readuntil(b"\n")).decode().rstrip("\r\n")

    async def next(self) -> Told:
        """The next event."""
        fields: dict[str, str] = {}
        while True:
            name, _, value = (await self.line()).partition(": ")
            if name in {"event", "id", "data"}:
                fields[name] = value
            elif not name and "data" in fields:
                self.last_id = fields.get("id", self.last_id)
                return Told(fields["event"], fields.get("id"), json.loads(fields["data"]))

    async def messages(self, count: int) -> list[str]:
        """The texts of the next notifications."""
        return [(await self.next()).data["message"] for _ in range(count)]

    async def ended(self) -> bool:
        """Whether the rest, which comes to an end, ends as a whole response does."""
        async with asyncio.timeout(SECONDS):
            return (await self.lines.read()).endswith(b"0\r\n\r\n")


@asynccontextmanager
async def reading(server: Server, path: str = ALERTS, **headers: str) -> AsyncIterator[Reader]:
    """Open a stream on a server."""
    lines, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=2**20)
    sent = {"Host": f"127.0.0.1:{server.port}", **{n.replace("_", "-"): v for n, v in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    writer.write(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())
    status, *answered = (await lines.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    pairs = (line.partition(": ") for line in answered)
    try:
        yield Reader(lines, int(status.split()[1]), {name.lower(): value for name, _, value in pairs})
    finally:
        writer.close()
