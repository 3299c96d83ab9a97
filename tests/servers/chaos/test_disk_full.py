"""SQLite on a file system that is full for a while."""

from websockets.exceptions import InvalidHandshake

from tests.processes import Server
from tests.servers.chaos.ledger import Ledger, Tally
from tests.servers.chaos.machine import fill, small_file_system
from tests.servers.chaos.rows import Row
from tests.servers.chaos.traffic import Listener, listening, settled, sqlite_site, talking
from tests.servers.chaos.watch import (
    TimedTalker,
    acknowledged_again,
    promise_calm,
    promise_open,
    promise_prompt,
    refused,
)
from tests.servers.clients import Site, member

DISK_BYTES = 16 * 1024 * 1024
TIMES, TIMES_LONG = 2, 20
REFUSALS = 20
"""How often `unavailable` is read before there is space again."""


async def reads(tally: Tally, server: Server, person: str | None) -> None:
    """Somebody who has not been here yet joins, and reads what was said before."""
    who = person or "a guest"
    try:
        async with member(server, person) as one:
            await one.send("history", limit=10)
            tally.promise(len((await one.next("history"))["messages"]) == 10, f"{who} could not read history")
    except InvalidHandshake as refusal:
        tally.promise(False, f"{who} could not join: {refusal}")


async def filled(long: bool) -> Tally:
    """Fill the disk under two workers again and again, each time until many have read `unavailable`."""
    ledger, slowest, noted = Ledger(), 0.0, Tally()
    with small_file_system(DISK_BYTES) as disk, sqlite_site() as elsewhere:
        site = Site(elsewhere.env, disk, elsewhere.redis)
        with site.serve(workers=2) as server:
            talkers = [TimedTalker(ledger, [server]) for _ in range(4)]
            listeners = [Listener(ledger, f"listener {number}", [server], "bob") for number in range(2)]
            async with listening(*listeners):
                async with talking(*talkers):
                    for _ in range(TIMES_LONG if long else TIMES):
                        await acknowledged_again(talkers)
                        ballast = fill(disk)
                        await refused(talkers, REFUSALS)
                        for reader in ("alice", None, "root"):  # root's token has not been used yet
                            await reads(noted, server, reader)
                        ballast.unlink()
                        slowest = max(slowest, await acknowledged_again(talkers))
                tally = await settled(site, ledger, listeners)
            promise_calm(tally, server)
    tally.recovered_in = slowest
    tally.broken += noted.broken
    promise_prompt(tally, talkers)
    promise_open(tally, [*talkers, *listeners])
    return tally


ROWS = (
    Row(
        "SQLite on a full file system",
        "`unavailable` within 5 s, no acknowledgement without a row, reads go on, recovery by itself",
        filled,
    ),
)


async def test_a_full_disk_loses_no_acknowledgement_and_stops_no_reader() -> None:
    await ROWS[0].short()
