"""Redis dies under traffic and comes back empty: sockets stay, messages arrive late and all, presence recovers."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack

from tests.processes import Server
from tests.servers.chaos.ledger import Ledger, Tally
from tests.servers.chaos.rows import Row
from tests.servers.chaos.traffic import ROOM, Client, Listener, Talker, listening, settled, sqlite_site, talking, within
from tests.servers.clients import Site, users_in

MESSAGES_SECONDS = 10
PRESENCE_SECONDS = 30
"""Within which, from the restart on, all must be well."""


async def messages_back(talkers: Sequence[Talker], listeners: Sequence[Listener]) -> None:
    """Wait until every receiver has all that was acknowledged by now."""
    seq = max(one.seq for one in talkers)
    await asyncio.gather(*(one.reached(seq) for one in listeners))


async def presence_back(site: Site, *servers: Server) -> None:
    """Wait until every process knows who is at the others.

    First one that starts now and knows nothing: the others remember what they knew, and looking into a room makes the
    process that is asked tell again who is there.
    """
    with ExitStack() as stack:
        new = await asyncio.to_thread(stack.enter_context, site.serve())
        for server in (new, *servers):
            await users_in(server, ROOM, "alice", "bob")
        await asyncio.to_thread(stack.close)


async def killed(long: bool) -> Tally:
    """Redis away for 5 s; long: 30 s."""
    with sqlite_site() as site, site.serve() as first, site.serve() as second:
        ledger, people = Ledger(), (("alice", first), ("bob", second))
        # All at one process: what the other commits itself would tell it what it missed.
        talkers = [Talker(ledger, [first]) for _ in range(2)]
        listeners = [Listener(ledger, f"{n} as {person}", [at], person) for person, at in people for n in range(3)]
        guest = Client(ledger, [second], None, ROOM)  # who leaves while nobody can be told
        async with listening(*listeners):
            async with talking(*talkers):
                await users_in(first, ROOM, "alice", "bob")
                await guest.connect()
                await asyncio.to_thread(site.redis.kill)
                await asyncio.sleep(30 if long else 5)
                await guest.close()
                await asyncio.to_thread(site.redis.start)
                messages, presence = await asyncio.gather(
                    within(MESSAGES_SECONDS, messages_back(talkers, listeners)),
                    within(PRESENCE_SECONDS, presence_back(site, first, second)),
                )
            tally = await settled(site, ledger, listeners)
    tally.recovered_in = max(messages or MESSAGES_SECONDS, presence or PRESENCE_SECONDS)
    tally.promise(messages is not None, f"messages were missing {MESSAGES_SECONDS} s after the restart")
    tally.promise(presence is not None, f"presence was wrong {PRESENCE_SECONDS} s after the restart")
    tally.promise(all(one.stayed for one in (*talkers, *listeners)), "a socket was closed")
    return tally


ROWS = (
    Row(
        "Redis SIGKILLed during traffic, restarted empty",
        "no socket closed, all acknowledged there within 10 s of the restart, presence right within 30 s",
        killed,
    ),
)


async def test_a_redis_that_dies_and_comes_back_empty_costs_no_socket_no_message_and_no_presence() -> None:
    await ROWS[0].short()
