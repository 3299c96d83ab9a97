"""Redis is there and does not answer: what does not need it goes on, and nobody waits for it."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from tests.processes import Server
from tests.servers.chaos.ledger import Ledger, Tally
from tests.servers.chaos.proxy import proxy
from tests.servers.chaos.rows import Row
from tests.servers.chaos.traffic import Client, Listener, Talker, listening, settled, sqlite_site, talking, within

CONNECT_SECONDS = 3.0
"""A connect may be held so long."""
LOCAL_SECONDS = 1.0
"""What a process has acknowledged has reached its own receivers within so long."""
EVERYWHERE_SECONDS = 10.0
"""After Redis answers again everybody has everything within so long."""


async def connects(ledger: Ledger, servers: Sequence[Server], room: str) -> list[str]:
    """Connect to a room on each server; returns what was broken, in words."""
    clients = [Client(ledger, [server], person, room) for server in servers for person in ("root", None)]
    waited = await asyncio.gather(*(within(2 * CONNECT_SECONDS, one.connect()) for one in clients))
    await asyncio.gather(*(one.close() for one in clients))
    slow = [seconds for seconds in waited if seconds is None or seconds > CONNECT_SECONDS]
    return [f"{len(slow)} connects to {room} were held for more than {CONNECT_SECONDS:g} s"] if slow else []


async def local_delivery(talkers: Sequence[Talker], listener: Listener) -> list[str]:
    """See whether a socket gets what its own process acknowledges; returns what was broken, in words."""
    counted = [len(one.waits) for one in talkers]
    waited = await within(LOCAL_SECONDS, listener.reached(max(one.seq for one in talkers)))
    broken = ["what was acknowledged was not delivered to the process's own sockets"] if waited is None else []
    await asyncio.sleep(LOCAL_SECONDS)
    if any(len(one.waits) == before for before, one in zip(counted, talkers, strict=True)):
        broken.append(f"a sender was acknowledged nothing acknowledged for {LOCAL_SECONDS:g} s")
    return broken


async def frozen(long: bool) -> Tally:
    """Redis holds its tongue for 6 s; long: 60 s."""
    with sqlite_site() as site, proxy(site.redis.port) as between:
        site = replace(site, env={**site.env, "REDIS_URL": f"redis://127.0.0.1:{between.port}/0"})
        with site.serve() as first, site.serve() as second:
            ledger, servers, broken, numbers = Ledger(), (first, second), list[str](), count()
            # All at one process: what the other commits itself would tell it what it missed.
            talkers = [Talker(ledger, [first]) for _ in range(2)]
            listeners = [Listener(ledger, f"at {at.port}", [at]) for at in servers]
            async with listening(*listeners):
                async with talking(*talkers):
                    between.hold()
                    until = time.monotonic() + (60 if long else 6)
                    while time.monotonic() < until:
                        broken += await connects(ledger, servers, "lobby")
                        broken += await connects(ledger, servers, f"new{next(numbers)}")
                        broken += await local_delivery(talkers, listeners[0])
                    between.release()
                    newest = max(one.seq for one in talkers)
                    back = await within(EVERYWHERE_SECONDS, asyncio.gather(*(one.reached(newest) for one in listeners)))
                tally = await settled(site, ledger, listeners)
    tally.recovered_in = back
    tally.broken += dict.fromkeys(broken)
    tally.promise(back is not None, f"messages were missing {EVERYWHERE_SECONDS:g} s after Redis answered again")
    tally.promise(all(one.stayed for one in (*talkers, *listeners)), "a socket was closed")
    return tally


ROWS = (
    Row(
        "Redis there but not answering",
        "local delivery goes on, connects are not held longer than 3 s, then everything arrives everywhere",
        frozen,
    ),
)


async def test_a_redis_that_does_not_answer_holds_up_neither_messages_nor_connects() -> None:
    await ROWS[0].short()
