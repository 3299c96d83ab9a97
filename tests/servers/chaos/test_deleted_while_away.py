"""A message deleted while a client is away and Redis is down: it is gone from that client's page all the same."""

import asyncio
import time
from contextlib import suppress
from uuid import uuid4

from tests.processes import Server
from tests.servers.chaos.ledger import Ledger, Tally
from tests.servers.chaos.rows import Row
from tests.servers.chaos.traffic import Listener, Talker, listening, settled, sqlite_site
from tests.servers.chaos.watch import all_reached
from tests.servers.clients import Event, eventually, member

ROUNDS, ROUNDS_LONG = 1, 30
SECRET = "to be deleted"
GONE_SECONDS = 10.0


class Reader(Listener):
    """A page that shows a room: texts by position, as its events say."""

    @property
    def texts(self) -> dict[int, str]:
        """What the page shows now."""
        shown: dict[int, str] = {}
        for event in self.heard:
            if event["type"] == "chat" and not event.get("deleted"):
                shown[event["seq"]] = event["message"]
            elif event["type"] in ("chat", "deleted"):
                shown.pop(event["target"] if event["type"] == "deleted" else event["seq"], None)
        return shown


async def delete(ledger: Ledger, server: Server, target: int) -> Event:
    """Let alice delete what she said; returns the deletion."""
    own = str(uuid4())
    ledger.sent(own)
    async with member(server, "alice") as alice:
        await alice.send("delete", seq=target, id=own)
        deletion = await alice.next("deleted", id=own)
    ledger.acknowledged(own, deletion["seq"])
    return deletion


async def gone(tally: Tally, readers: list[Reader], seq: int) -> float:
    """Wait until nobody's page shows what was said at a position; returns the seconds it took."""
    began = time.monotonic()
    with suppress(TimeoutError):
        async with asyncio.timeout(GONE_SECONDS):
            await eventually(lambda: all(seq not in one.texts for one in readers))
    for one in readers:
        tally.promise(seq not in one.texts, f"{one.name} still shows it after {GONE_SECONDS:g} s")
    return time.monotonic() - began


async def deleted(long: bool) -> Tally:
    """A page stays, one is away, one opens anew; all on another process than the one that deletes."""
    ledger, noted, slowest = Ledger(), Tally(), 0.0
    with sqlite_site() as site, site.serve() as here, site.serve() as there:
        alice = Talker(ledger, [here])
        stays = Reader(ledger, "who stays", [there], "bob")
        away = Reader(ledger, "who is away", [there], "bob")
        async with listening(stays):
            for number in range(ROUNDS_LONG if long else ROUNDS):
                said = await alice.say(f"{SECRET} {number}")
                async with listening(away):
                    await all_reached([stays, away], said["seq"])
                    noted.promise(said["seq"] in away.texts, "it was not shown, so nothing was tried")
                await asyncio.to_thread(site.redis.kill)
                deletion = await delete(ledger, here, said["seq"])
                opens = Reader(ledger, f"who opens the page, {number}", [there], "bob")
                async with listening(away, opens):
                    slowest = max(slowest, await gone(noted, [stays, away, opens], said["seq"]))
                    await all_reached([away], deletion["seq"])
                await asyncio.to_thread(site.redis.start)
            tally = await settled(site, ledger, [stays, away])
        await alice.close()
    tally.recovered_in = slowest
    tally.broken += noted.broken
    unresumed = [join for one in (stays, away) for join in one.joins[1:] if not join["recovered"]]
    tally.promise(not unresumed, "who came back was told that something is missing")
    return tally


ROWS = (Row("a message deleted while a client is away and Redis is down", "gone from every page within 10 s", deleted),)


async def test_what_was_deleted_meanwhile_is_gone_from_the_page_of_who_comes_back() -> None:
    await ROWS[0].short()
