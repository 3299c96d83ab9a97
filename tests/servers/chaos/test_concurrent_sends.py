"""Two processes number one room together: no gap, no number twice, one order for everybody."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import partial
from uuid import uuid4

import pytest

from tests.processes import Server
from tests.servers.chaos.ledger import Ledger, Tally
from tests.servers.chaos.rows import Row
from tests.servers.chaos.traffic import (
    ANSWER_SECONDS,
    Client,
    Listener,
    listening,
    postgres_site,
    settled,
    sqlite_site,
    stored,
)
from tests.servers.clients import Site

SENDS = 500
"""To each of the two processes, all at once."""


async def burst(client: Client, count: int) -> None:
    """Send as much at once, and wait for every acknowledgement."""
    missing = {str(uuid4()) for _ in range(count)}
    assert client.socket is not None
    for own in missing:
        client.ledger.sent(own)
        await client.socket.send(json.dumps({"action": "send", "text": "now", "id": own}))
    while missing:
        event = await client.next(ANSWER_SECONDS)
        if event.get("id") in missing:
            assert event["type"] == "chat", event
            missing.remove(event["id"])
            client.ledger.acknowledged(event["id"], event["seq"])


async def sent_at_once(ledger: Ledger, servers: list[Server], sockets: int) -> None:
    """Connect so many sockets to each server, and only then let all of them send."""
    clients = [Client(ledger, [server], "alice", "lobby") for server in servers for _ in range(sockets)]
    await asyncio.gather(*(one.connect() for one in clients))
    try:
        await asyncio.gather(*(burst(one, SENDS // sockets) for one in clients))
    finally:
        await asyncio.gather(*(one.close() for one in clients))


async def two_workers(make: Callable[[], AbstractContextManager[Site]], long: bool) -> Tally:
    """500 sends at once to each of two processes, from 20 sockets each; long: from 100."""
    with make() as site, site.serve() as first, site.serve() as second:
        ledger, servers = Ledger(), [first, second]
        listeners = [Listener(ledger, f"{n} at {at.port}", [at], "bob") for at in servers for n in range(2)]
        async with listening(*listeners):
            with suppress(TimeoutError):
                await sent_at_once(ledger, servers, 100 if long else 20)
            tally = await settled(site, ledger, listeners)
        rows = await asyncio.to_thread(stored, site)
    tally.promise(tally.acknowledged == 2 * SENDS, f"{2 * SENDS - tally.acknowledged} were not acknowledged")
    tally.promise([seq for seq, _ in rows] == list(range(1, len(rows) + 1)), "the sequence is not contiguous")
    return tally


PROMISE = "the sequence is contiguous and the same at every receiver"
ROWS = (
    Row("two workers, 500 concurrent sends each to one room, SQLite", PROMISE, partial(two_workers, sqlite_site)),
    Row("two workers, 500 concurrent sends each to one room, PostgreSQL", PROMISE, partial(two_workers, postgres_site)),
)


@pytest.mark.parametrize("row", ROWS, ids=["sqlite", "postgres"])
async def test_two_workers_number_what_is_sent_to_both_at_once_without_a_gap(row: Row) -> None:
    await row.short()
