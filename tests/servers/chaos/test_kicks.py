"""Connections are cut all the time, and everybody sees every message once."""

import asyncio
import random

from tests.servers.chaos.ledger import Ledger, Tally
from tests.servers.chaos.rows import Row
from tests.servers.chaos.traffic import Client, Listener, Talker, listening, settled, sqlite_site, talking

CLIENTS = 50


async def kicked(client: Client, times: int) -> None:
    """Cut a client's connection as often, at random moments, each time after it has come back."""
    for joins in range(1, times + 1):
        while len(client.joins) <= joins:
            await asyncio.sleep(random.uniform(0, 0.4))
            client.kick()


async def kicks(long: bool) -> Tally:
    """50 clients on 2 workers, each kicked 20 times; long: 1,000 times."""
    times = 1000 if long else 20
    with sqlite_site() as site, site.serve(workers=2) as server:
        ledger = Ledger()
        listeners = [Listener(ledger, f"{n}", [server], ("bob", None)[n % 2]) for n in range(CLIENTS)]
        talkers = [Talker(ledger, [server], pause=0.3 if long else 0.05) for _ in range(4)]
        async with listening(*listeners):
            async with talking(*talkers):
                await asyncio.gather(*(kicked(one, times) for one in listeners))
            tally = await settled(site, ledger, listeners)
    tally.recovered_in = max(max(one.away) for one in listeners)
    resumed = all(event["recovered"] for one in listeners for event in one.joins[1:])
    tally.promise(resumed, "a receiver that came back was told that it missed something for good")
    return tally


ROWS = (
    Row(
        "50 clients on 2 workers kicked at random while messages flow", "each sees every message once, in order", kicks
    ),
)


async def test_who_is_cut_off_again_and_again_sees_every_message_once_and_in_order() -> None:
    await ROWS[0].short()
