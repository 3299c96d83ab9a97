"""A client that sends again from another socket must not be heard twice."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from uuid import uuid4

from tests.servers.chaos.ledger import Ledger, Tally
from tests.servers.chaos.rows import Row
from tests.servers.chaos.traffic import Listener, Talker, listening, settled, sqlite_site, stored
from tests.servers.clients import eventually

SOCKETS = 50


def answers(sockets: Sequence[Listener], id: str) -> list[int]:
    """The positions in the answers that called it a duplicate."""
    return [event["seq"] for one in sockets for event in one.heard if event.get("id") == id and "duplicate" in event]


async def said_by_all(ledger: Ledger, sockets: Sequence[Listener]) -> list[int]:
    """Say one thing on every socket at once; returns the positions in the answers that called it a duplicate."""
    own = str(uuid4())
    frame = json.dumps({"action": "send", "text": "once", "id": own})
    ledger.sent(own)
    await asyncio.gather(*(one.socket.send(frame) for one in sockets if one.socket))
    with suppress(TimeoutError):
        async with asyncio.timeout(10):
            await eventually(lambda: len(answers(sockets, own)) == SOCKETS - 1)
    # Whoever has heard what was said after it has also had every answer to it.
    async with asyncio.timeout(10):
        talker = Talker(ledger, sockets[0].servers)
        fence = await talker.say("next")
        await asyncio.gather(*(one.reached(fence["seq"]) for one in sockets), talker.close())
    told = answers(sockets, own)
    for seq in told:
        ledger.acknowledged(own, seq)
    return told


async def one_id_from_everywhere(long: bool) -> Tally:
    """50 sockets of one user on two processes, 5 ids one after another; long: 100."""
    rounds = 100 if long else 5
    with sqlite_site() as site, site.serve() as first, site.serve() as second:
        ledger = Ledger()
        sockets = [Listener(ledger, f"{n}", [(first, second)[n % 2]], "alice") for n in range(SOCKETS)]
        async with listening(*sockets):
            told = [await said_by_all(ledger, sockets) for _ in range(rounds)]
            tally = await settled(site, ledger, sockets)
        rows = await asyncio.to_thread(stored, site)
    wrong = sorted({len(each) for each in told} - {SOCKETS - 1})
    tally.promise(not wrong, f"{wrong} instead of {SOCKETS - 1} answers said duplicate")
    tally.promise(len(rows) == 2 * rounds, f"{len(rows)} rows for {2 * rounds} ids")
    return tally


ROWS = (Row("the same id sent by 50 sockets at once on 2 workers", "one row, 49 duplicates", one_id_from_everywhere),)


async def test_one_id_from_fifty_sockets_at_once_is_one_row_and_49_duplicates() -> None:
    await ROWS[0].short()
