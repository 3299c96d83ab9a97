"""The wall clock of one process jumps two days on, and two days back, while people talk on it and on another.

What jumps is what Python asks the operating system. Stored times are the database's: PostgreSQL's clock is another
process's, and SQLite's is the C library's, so neither jumps here.
"""

import asyncio
import struct
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from websockets.asyncio.client import connect

from tests.processes import Server, serve
from tests.servers.chaos.ledger import Ledger, Tally
from tests.servers.chaos.rows import Row
from tests.servers.chaos.traffic import Listener, Talker, listening, postgres_site, settled, sqlite_site, talking
from tests.servers.chaos.watch import acknowledged_again, promise_calm, promise_open
from tests.servers.clients import Site, eventually, get, log_in_with_browser, member

HERE = Path(__file__).parent / "jumping_clock"
DAYS = 2
JUMPS, JUMPS_LONG = (DAYS, -DAYS), (DAYS, 0, -DAYS, DAYS, -DAYS, 0) * 10
PRUNING = {"CHORUS_PRUNE_INTERVAL": "1"}
"""A server that prunes all the time, so that it does while its clock is wrong."""

_SHORT_LIVED = """
from datetime import timedelta
from django.db.models.functions import Now
from accounts.models import Token
from chat.models import Room
Token.objects.update(expires_at=Now() + timedelta(days=1))
Room.objects.update(keep_days=1)
"""


class Clock:
    """The wall clock of a server: what it adds to the true one."""

    def __init__(self, file: Path) -> None:
        self.file = file
        file.write_bytes(struct.pack("d", 0.0))

    def jump(self, days: float) -> None:
        """Be so many days wrong from now on."""
        with self.file.open("r+b") as file:
            file.write(struct.pack("d", days * 86_400))


@contextmanager
def jumping(site: Site) -> Iterator[tuple[Server, Clock]]:
    """A server of the site whose clock can be made to jump."""
    clock = Clock(site.data_dir / "clock")
    wrong = {"PYTHONPATH": str(HERE), "CLOCK_FILE": str(clock.file)}
    with serve({**site.env, **wrong}, data_dir=site.data_dir) as server:
        yield server, clock


async def days_wrong(server: Server) -> float:
    """How many days a server's own clock is off, as its time route tells."""
    async with connect(f"{server.ws}/ws/time/", proxy=None) as socket:
        told = datetime.fromisoformat(str(await socket.recv()))
    return (told - datetime.now(UTC)).total_seconds() / 86_400


async def probe(tally: Tally, server: Server, cookie: str) -> None:
    """Look into a server while its clock may be wrong: nobody is gone, nothing has expired, nothing was pruned."""
    async with member(server, "root") as root:
        names = root.joined["users"]["names"]
        tally.promise(names == ["alice", "bob", "root"], f"there were {names}")
        await root.send("history", before=2, limit=1)
        first = (await root.next("history"))["messages"]
        tally.promise(len(first) == 1 and "message" in first[0], "the first message was pruned")
    status = (await asyncio.to_thread(get, server, "/admin/", Cookie=cookie)).status
    tally.promise(status == 200, f"a session from before got {status}")


async def pruned(server: Server) -> None:
    """Wait until it is this one of the servers that has pruned, once more."""
    before = server.log.count("pruned")
    async with asyncio.timeout(30):
        await eventually(lambda: server.log.count("pruned") > before)


def promise_true_times(tally: Tally, listener: Listener) -> None:
    """What is stored has the true time, whichever process stored it, and nobody was said to leave."""
    said = [datetime.fromisoformat(event["timestamp"]) for event in listener.heard if event["type"] == "chat"]
    wrong = [time for time in said if abs(datetime.now(UTC) - time) > timedelta(hours=1)]
    tally.promise(not wrong, f"{len(wrong)} stored times are wrong")
    left = [event["name"] for event in listener.heard if event.get("event") == "leave" and event["name"] != "root"]
    tally.promise(not left, f"{left} were said to leave")


async def jumped(make_site: Callable[..., AbstractContextManager[Site]], long: bool) -> Tally:
    """Let the clock of one of two processes jump, each time until it has pruned and everybody has talked on."""
    ledger, noted = Ledger(), Tally()
    with make_site(**PRUNING) as site, jumping(site) as (wrong, clock), site.serve() as right:
        cookie = await asyncio.to_thread(log_in_with_browser, wrong, "root")
        talkers = [Talker(ledger, [server]) for server in (wrong, right) for _ in range(2)]
        listeners = [Listener(ledger, f"listener on {one.port}", [one], "bob") for one in (wrong, right)]
        async with listening(*listeners):  # by now there is a room
            await asyncio.to_thread(wrong.manage, "shell", "-c", _SHORT_LIVED)
            async with talking(*talkers):
                for days in JUMPS_LONG if long else JUMPS:
                    clock.jump(days)
                    noted.promise(abs(await days_wrong(wrong) - days) < 0.1, "the clock did not jump")
                    await pruned(wrong)
                    await acknowledged_again(talkers)
                    await probe(noted, wrong, cookie)
                    await probe(noted, right, cookie)
            tally = await settled(site, ledger, listeners)
        promise_calm(tally, wrong, right)
    tally.broken += noted.broken
    for one in listeners:
        promise_true_times(tally, one)
    promise_open(tally, [*talkers, *listeners])
    return tally


_PROMISE = "no disconnects, order kept, nothing pruned or expired by it, presence stays"
ROWS = (
    Row("wall clock jumps ±2 days for one process, SQLite", _PROMISE, partial(jumped, sqlite_site)),
    Row("wall clock jumps ±2 days for one process, PostgreSQL", _PROMISE, partial(jumped, postgres_site)),
)


async def test_a_clock_that_jumps_in_one_process_disturbs_nobody() -> None:
    await ROWS[0].short()
