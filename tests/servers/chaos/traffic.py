"""Who talks and who listens while something breaks, and what the database has in the end.

with sqlite_site() as site, site.serve(workers=2) as server:
    ledger = Ledger()
    async with listening(Listener(ledger, "bob", [server])) as listeners:
        async with talking(Talker(ledger, [server])):
            ...break something...
        tally = await settled(site, ledger, listeners)
"""

import asyncio
import json
import random
import sqlite3
import tempfile
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import psycopg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.processes import Server, postgres_server, redis_server
from tests.servers.chaos.ledger import Ledger, Tally
from tests.servers.clients import Event, Site, bearer

ROOM = "lobby"
UNLIMITED = {"CHORUS_COMMAND_RATE": "0", "CHORUS_CONNECTIONS_PER_USER": "0"}
"""Three people with tokens do the work of many."""

ANSWER_SECONDS = 6.0
"""How long a client waits for an answer before it connects anew; the server promises one within 5 s."""
SETTLE_SECONDS = 15.0
HEARD = 1000

# Sites.


@contextmanager
def sqlite_site(**env: str) -> Iterator[Site]:
    """A Redis and a directory for an SQLite database; `env` is added to the settings of its servers."""
    with redis_server() as redis, tempfile.TemporaryDirectory(prefix="chorus-") as directory:
        yield Site({"REDIS_URL": redis.url, **UNLIMITED, **env}, Path(directory), redis)


@contextmanager
def postgres_site(**env: str) -> Iterator[Site]:
    """A Redis and a PostgreSQL cluster; skipped where there is none."""
    with postgres_server() as postgres, sqlite_site(DATABASE_URL=postgres.database(), **env) as site:
        yield site


_ROWS = (
    "SELECT entry.seq, entry.client_id FROM chat_message AS entry JOIN chat_room AS room ON room.id = entry.stream_id"
    " WHERE room.name = '{room}' ORDER BY entry.seq"
)


def stored(site: Site, room: str = ROOM) -> list[tuple[int, str]]:
    """What the database has of a room, asked beside the servers: (seq, client id) in order of seq."""
    assert room.isalnum()
    query = _ROWS.format(room=room)
    rows: list[tuple[int, str | None]]
    if url := site.env.get("DATABASE_URL"):
        with psycopg.connect(url) as connection:
            rows = connection.execute(query.encode()).fetchall()
    else:
        with closing(sqlite3.connect(site.data_dir / "chorus.sqlite3", timeout=30)) as connection:
            rows = connection.execute(query).fetchall()
    return [(seq, own or "") for seq, own in rows]


# Clients.


class Client:
    """Somebody in a room who comes back whenever the connection is lost, to any of the servers."""

    def __init__(self, ledger: Ledger, servers: Sequence[Server], person: str | None, room: str) -> None:
        self.ledger = ledger
        self.servers = servers
        self.person = person
        self.room = room
        self.socket: ClientConnection | None = None
        self.closes: list[int] = []
        """The codes of connections that ended before this client left; 1006 where it was only cut."""
        self.joins: list[Event] = []
        """Each `joined` that came, without its messages."""

    async def connect(self, **query: str | int) -> Event:
        """Connect, again and again until a server lets us in, later and later; returns `joined`."""
        delay = 0.05
        while True:
            with suppress(OSError, TimeoutError, InvalidHandshake, ConnectionClosed):
                return await self._enter(random.choice(self.servers), query)
            await asyncio.sleep(delay * random.uniform(0.5, 1.5))
            delay = min(delay * 2, 1.0)

    async def _enter(self, server: Server, query: dict[str, str | int]) -> Event:
        self.socket = await connect(
            f"{server.ws}/ws/chat/{self.room}/?{urlencode(query)}",
            additional_headers=bearer(self.person) if self.person else None,
            proxy=None,
            max_queue=None,
        )
        while (event := await self.next(ANSWER_SECONDS))["type"] != "joined":
            assert event["type"] == "error", event  # and it is closed: storage or Redis is away
        self.joins.append({key: value for key, value in event.items() if key != "messages"})
        return event

    async def next(self, seconds: float | None = None) -> Event:
        """The next event; raises TimeoutError, and ConnectionClosed, which is noted."""
        assert self.socket is not None
        try:
            async with asyncio.timeout(seconds):
                event: Event = json.loads(await self.socket.recv())
        except ConnectionClosed as closed:
            self.closes.append(closed.rcvd.code if closed.rcvd else 1006)
            raise
        return event

    @property
    def stayed(self) -> bool:
        """Whether the first connection is still the only one."""
        return len(self.joins) == 1 and not self.closes

    def kick(self) -> None:
        """Cut the connection, without a close frame."""
        if self.socket is not None:
            self.socket.transport.abort()

    async def close(self) -> None:
        """Leave."""
        if self.socket is not None:
            await self.socket.close()


class Talker(Client):
    """Somebody who says one thing after another, each with an id and again until it is acknowledged."""

    def __init__(
        self,
        ledger: Ledger,
        servers: Sequence[Server],
        person: str = "alice",
        room: str = ROOM,
        *,
        pause: float = 0.02,
    ) -> None:
        """`pause` is the seconds between an acknowledgement and what is said next. A guest could not repeat an id."""
        super().__init__(ledger, servers, person, room)
        self.pause = pause
        self.seq = 0
        """The highest position that was acknowledged."""
        self.waits: list[float] = []
        """Seconds from saying something until it was acknowledged, repeats included."""
        self.refusals: Counter[str] = Counter()
        """Codes of the errors that were answered, `unavailable` among them."""

    async def say(self, text: str = "Hi", id: str | None = None) -> Event:
        """Say it until it is acknowledged; returns the acknowledgement. Raises AssertionError if it is refused."""
        own = id or str(uuid4())
        self.ledger.sent(own)
        began = time.monotonic()
        while (answer := await self._answer(text, own)) is None:
            await _a_moment()
        self.ledger.acknowledged(own, answer["seq"])
        self.seq = max(self.seq, answer["seq"])
        self.waits.append(time.monotonic() - began)
        return answer

    async def _answer(self, text: str, id: str) -> Event | None:
        """Send once; None if what became of it is unknown."""
        try:
            if self.socket is None:
                await self.connect()
            assert self.socket is not None
            await self.socket.send(json.dumps({"action": "send", "text": text, "id": id}))
            return await self._acknowledgement(id)
        except (ConnectionClosed, TimeoutError):
            self.kick()
            self.socket = None
            return None

    async def _acknowledgement(self, id: str) -> Event | None:
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            event = await self.next(max(0.0, deadline - time.monotonic()))
            if event.get("id") != id:
                continue
            if event["type"] == "chat":
                return event
            assert event["type"] == "error", event
            assert event["code"] in ("unavailable", "rate_limited"), event
            self.refusals[event["code"]] += 1
            await asyncio.sleep(event.get("retry_after", 0))
            return None

    async def until(self, stop: asyncio.Event) -> None:
        """Talk until told to stop; the last thing said is acknowledged too."""
        while not stop.is_set():
            await self.say(f"{len(self.waits)}")
            await asyncio.sleep(self.pause)


class Listener(Client):
    """Somebody who stays in a room, comes back where they left off, and writes down every entry they see."""

    def __init__(
        self, ledger: Ledger, name: str, servers: Sequence[Server], person: str | None = None, room: str = ROOM
    ) -> None:
        """`name` is what the ledger calls this receiver; a guest unless a person of TOKENS is named."""
        super().__init__(ledger, servers, person, room)
        self.name = name
        self.seq = 0
        """The position of the newest entry seen."""
        self.epoch = ""
        self.heard: deque[Event] = deque(maxlen=HEARD)
        """The last events that came, but for `joined` and `replay`, whose messages are here one by one."""
        self.away: list[float] = []
        """Seconds from losing each connection until it was resumed."""
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            began = time.monotonic()
            joined = await self.connect(**self._since())
            if self.epoch:
                self.away.append(time.monotonic() - began)
            self._joined(joined)
            with suppress(ConnectionClosed):
                while True:
                    self._take(await self.next())

    def _since(self) -> dict[str, Any]:
        return {"since": self.seq, "epoch": self.epoch} if self.epoch else {}

    def _joined(self, event: Event) -> None:
        if not self.epoch:
            messages = event["messages"]
            self.ledger.starts(self.name, after=messages[0]["seq"] - 1 if messages else event["seq"])
            self.seq = event["seq"]
        self.epoch = event["epoch"]
        for entry in event["messages"]:
            self._take(entry)
        self._changed.set()

    def _take(self, event: Event) -> None:
        if event["type"] == "joined":  # anew: the room's history was reset
            self.joins.append({key: value for key, value in event.items() if key != "messages"})
            self._joined(event)
        elif event["type"] == "replay":
            for entry in event["messages"]:
                self._take(entry)
        else:
            self.heard.append(event)
            if "seq" in event and "duplicate" not in event:
                self.ledger.saw(self.name, event["seq"], event.get("id") or "")
                self.seq = event["seq"]
        self._changed.set()

    async def reached(self, seq: int) -> None:
        """Wait until the entry at that position has come."""
        while not self.epoch or self.seq < seq:
            self._changed.clear()
            await self._changed.wait()


async def _a_moment() -> None:
    await asyncio.sleep(random.uniform(0.02, 0.1))


@asynccontextmanager
async def listening(*listeners: Listener) -> AsyncIterator[Sequence[Listener]]:
    """Let them listen, each from its first `joined` on; the first that fails ends the block."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one.run()) for one in listeners]
        try:
            await asyncio.gather(*(one.reached(0) for one in listeners))
            yield listeners
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*(one.close() for one in listeners))


@asynccontextmanager
async def talking(*talkers: Talker) -> AsyncIterator[Sequence[Talker]]:
    """Let them talk; at the end of the block each finishes what it is saying, and leaves."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for one in talkers:
            await one.connect()
            group.create_task(one.until(stop))
        try:
            yield talkers
        finally:
            stop.set()
    await asyncio.gather(*(one.close() for one in talkers))


async def within(seconds: float, work: Awaitable[object]) -> float | None:
    """Wait for something at most so long; returns the seconds it took, or None if it did not come about."""
    began = time.monotonic()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await work
            return time.monotonic() - began
    return None


async def settled(
    site: Site, ledger: Ledger, listeners: Sequence[Listener], room: str = ROOM, seconds: float = SETTLE_SECONDS
) -> Tally:
    """Wait until every listener has the last row, at most so long, and compare what all of them have."""
    rows = await asyncio.to_thread(stored, site, room)
    last = rows[-1][0] if rows else 0
    await within(seconds, asyncio.gather(*(one.reached(last) for one in listeners)))
    return ledger.compare(rows, [one.name for one in listeners])
