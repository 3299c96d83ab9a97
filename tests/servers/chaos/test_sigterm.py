"""SIGTERM while people talk: who is told to go comes back elsewhere and has missed nothing."""

import asyncio
import re
import time

import pytest

from tests.processes import Server
from tests.servers.chaos.ledger import Ledger, Tally
from tests.servers.chaos.rows import Row
from tests.servers.chaos.traffic import Client, Listener, Talker, listening, settled, sqlite_site, talking
from tests.servers.chaos.watch import acknowledged_again, all_reached, promise_calm

STOPS, STOPS_LONG = 1, 20
GRACE_SECONDS = 30.0


async def stop(tally: Tally, server: Server, clients: list[Client]) -> None:
    """Send SIGTERM to a server on which all of `clients` are, and see how each was told."""
    sockets = [one.socket for one in clients if one.socket is not None]
    began = time.monotonic()
    exit_code = await asyncio.to_thread(server.terminate)
    seconds = time.monotonic() - began
    tally.promise(exit_code == 0, f"exit code {exit_code}")
    tally.promise(seconds <= GRACE_SECONDS, f"it took {seconds:.0f} s to stop")
    await asyncio.gather(*(socket.wait_closed() for socket in sockets))
    for socket in sockets:
        told = f"{socket.close_code} {socket.close_reason}"
        tally.promise(bool(re.fullmatch(r"1012 retry_after=\d+\.\d", told)), f"a client was told: {told}")


async def stopped(long: bool, workers: int) -> Tally:
    """Stop one of two servers, and the other in turn, each time the one on which everybody is.

    The first has so many workers; the other one.
    """
    ledger, slowest, noted = Ledger(), 0.0, Tally()
    with sqlite_site() as site, site.serve(workers=workers) as one, site.serve() as other:
        servers = [one]
        talkers = [Talker(ledger, servers) for _ in range(6)]
        listeners = [Listener(ledger, f"listener {number}", servers, "bob") for number in range(4)]
        async with listening(*listeners):
            async with talking(*talkers):
                for number in range(STOPS_LONG if long else STOPS):
                    if number:
                        await asyncio.to_thread(other.start)  # the one that was stopped last
                    await acknowledged_again(talkers)
                    stopping, servers[0] = servers[0], other
                    await stop(noted, stopping, [*talkers, *listeners])
                    slowest = max(slowest, await acknowledged_again(talkers))
                    await all_reached(listeners, max(talker.seq for talker in talkers))
                    other = stopping
            tally = await settled(site, ledger, listeners)
        promise_calm(tally, servers[0], other)
    tally.recovered_in = slowest
    tally.broken += noted.broken
    lost = [join for each in listeners for join in each.joins[1:] if not join["recovered"]]
    tally.promise(not lost, f"{len(lost)} came back and were told that something is missing")
    return tally


async def stopped_alone(long: bool) -> Tally:
    """Servers with one worker each."""
    return await stopped(long, 1)


async def stopped_together(long: bool) -> Tally:
    """Servers with several workers each."""
    return await stopped(long, 2)


_PROMISE = "nothing lost, 1012 with retry_after for every client, exit code 0, no hole on the other server"
ROWS = (
    Row("SIGTERM under load, one worker", _PROMISE, stopped_alone),
    Row("SIGTERM under load, two workers", _PROMISE, stopped_together),
)


@pytest.mark.parametrize("row", ROWS, ids=["one worker", "two workers"])
async def test_a_server_that_is_stopped_under_load_loses_nothing(row: Row) -> None:
    await row.short()
