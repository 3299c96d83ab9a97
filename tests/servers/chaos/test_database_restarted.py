"""PostgreSQL shut down immediately and started again while people talk."""

import asyncio

from tests.processes import postgres_server
from tests.servers.chaos.ledger import Ledger, Tally
from tests.servers.chaos.rows import Row
from tests.servers.chaos.traffic import Listener, listening, settled, sqlite_site, talking
from tests.servers.chaos.watch import (
    TimedTalker,
    acknowledged_again,
    promise_calm,
    promise_open,
    promise_prompt,
    refused,
    unavailable,
)

RESTARTS, RESTARTS_LONG = 1, 20
TALKERS = 6


async def restarted(long: bool) -> Tally:
    """Restart PostgreSQL again and again under two workers, each time once somebody has read `unavailable`."""
    ledger, slowest = Ledger(), 0.0
    with (
        postgres_server() as postgres,
        sqlite_site(DATABASE_URL=postgres.database()) as site,
        site.serve(workers=2) as server,
    ):
        talkers = [TimedTalker(ledger, [server], pause=0.001) for _ in range(TALKERS)]
        listeners = [Listener(ledger, f"listener {number}", [server], "bob") for number in range(2)]
        async with listening(*listeners):
            async with talking(*talkers):
                for _ in range(RESTARTS_LONG if long else RESTARTS):
                    await acknowledged_again(talkers)
                    refusal = asyncio.create_task(refused(talkers))
                    await asyncio.to_thread(postgres.kill)
                    await refusal
                    await asyncio.to_thread(postgres.start)
                    slowest = max(slowest, await acknowledged_again(talkers))
            tally = await settled(site, ledger, listeners)
        promise_calm(tally, server)
    tally.recovered_in = slowest
    tally.promise(unavailable(talkers) > 0, "nobody read `unavailable`, so nothing was tried")
    promise_prompt(tally, talkers)
    promise_open(tally, [*talkers, *listeners])
    return tally


ROWS = (
    Row(
        "PostgreSQL restarted immediately under load",
        "`unavailable` within 5 s, no acknowledgement without a row, recovery by itself",
        restarted,
    ),
)


async def test_postgresql_restarted_under_load_loses_no_acknowledgement() -> None:
    await ROWS[0].short()
