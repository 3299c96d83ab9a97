"""Clients that vanish without a word, or stop reading: the server lets go of them, and nobody else notices."""

import asyncio
import re
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack

from tests.processes import Server
from tests.servers.chaos.ledger import Ledger, Tally
from tests.servers.chaos.machine import go_silent, held_sockets, needs_linux, resident_bytes
from tests.servers.chaos.rows import Row
from tests.servers.chaos.traffic import Listener, Talker, listening, settled, sqlite_site, talking
from tests.servers.chaos.watch import acknowledged_again, promise_calm, promise_open
from tests.servers.clients import Event, eventually, users_in
from tests.servers.raw import RawClient, open_raw

PINGS = {"CHORUS_PING_INTERVAL": "1", "CHORUS_PING_TIMEOUT": "2"}
"""Of a short run; a long one has the defaults, 20 and 10."""
MARGIN_SECONDS = 15.0
"""On top of a ping's interval and timeout; with the defaults that makes the 45 s promised."""
STOPPED_SECONDS = 60.0
"""How long a client that stopped reads nothing, in a long run; in a short one until the server has let go of it."""
VANISHING, VANISHING_LONG = 8, 80
STOPPING, STOPPING_LONG = 8, 40
LONG_TEXT = "x" * 9_000
MEMORY_BYTES, MEMORY_BYTES_LONG = 64 * 1024 * 1024, 16 * 1024 * 1024
"""What a round may add to a server's memory: in a short run the first, while caches fill, in a long one the second."""
CLOSES = {4000, 1011, 1006}


class LongTalker(Talker):
    """A talker whose messages fill what a client does not read."""

    async def say(self, text: str = "Hi", id: str | None = None) -> Event:
        return await super().say(LONG_TEXT, id)


def within(long: bool) -> float:
    """Seconds until a client that does not answer is gone."""
    return (30.0 if long else 3.0) + MARGIN_SECONDS


def said_closes(server: Server) -> set[int]:
    """The codes that guests were closed with, as the server's log has them."""
    return {int(code) for code in re.findall(r"close .*who=Guest\S* .*code=(\d+)", server.log)}


async def let_go(tally: Tally, server: Server, clients: Sequence[RawClient], seconds: float) -> float:
    """Wait until the server's processes hold no descriptor for any of these; returns the seconds it took."""
    ports = {client.connection.getsockname()[1] for client in clients}
    tally.promise(held_sockets(server, ports) > 0, "the server let go of them before the fault")
    began = time.monotonic()
    try:
        async with asyncio.timeout(seconds):
            await eventually(lambda: not held_sockets(server, ports))
    except TimeoutError:
        tally.promise(False, f"{held_sockets(server, ports)} of {len(ports)} sockets still held after {seconds:g} s")
    return time.monotonic() - began


def promise_latency(tally: Tally, talkers: Sequence[Talker], before: Sequence[int]) -> None:
    """Acknowledgements took as long as before; `before` is how many each talker had when the fault began."""
    calm, troubled = [], []
    for one, count in zip(talkers, before, strict=True):
        calm += one.waits[:count]
        troubled += one.waits[count:]
    was, became = statistics.median(calm), statistics.median(troubled)
    # What this machine does beside is not our clients' doing.
    words = f"an acknowledgement took {became * 1000:.0f} ms, {was * 1000:.0f} ms before"
    tally.promise(became <= 2 * was + 0.02, words)


async def vanished(long: bool) -> Tally:
    """Some guests of a busy room are cut off: nothing reaches them any more, and nothing comes from them."""
    needs_linux()
    ledger, noted = Ledger(), Tally()
    with sqlite_site(**({} if long else PINGS)) as site, site.serve() as server, ExitStack() as stack:
        talkers = [Talker(ledger, [server], pause=0.05) for _ in range(2)]
        listeners = [Listener(ledger, "bob", [server], "bob")]
        async with listening(*listeners):
            async with talking(*talkers):
                guests = [
                    await asyncio.to_thread(stack.enter_context, open_raw(server, "/ws/chat/lobby/"))
                    for _ in range(VANISHING_LONG if long else VANISHING)
                ]
                await acknowledged_again(talkers)
                before = [len(one.waits) for one in talkers]
                for guest in guests:
                    go_silent(guest.connection)
                seconds = await let_go(noted, server, guests, within(long))
            async with asyncio.timeout(10):
                await users_in(server, "lobby", "bob")
            tally = await settled(site, ledger, listeners)
        promise_calm(tally, server)
        codes = said_closes(server)
    tally.recovered_in = seconds
    tally.broken += noted.broken
    tally.promise(bool(codes) and codes <= CLOSES, f"they were closed with {codes}")
    promise_latency(tally, talkers, before)
    promise_open(tally, [*talkers, *listeners])
    return tally


async def stop_reading(tally: Tally, server: Server, long: bool) -> tuple[float, set[int]]:
    """Let guests of a busy and of a quiet room join and read nothing; returns the seconds until the server has let go.

    And what they find when they read again, after STOPPED_SECONDS in a long run: the codes they were closed with.
    """
    began = time.monotonic()
    with ExitStack() as stack:
        guests = [
            await asyncio.to_thread(stack.enter_context, open_raw(server, f"/ws/chat/{room}/", receive_buffer=4096))
            for room in ("lobby", "quiet")
            for _ in range((STOPPING_LONG if long else STOPPING) // 2)
        ]
        seconds = await let_go(tally, server, guests, within(long))
        await asyncio.sleep(began + STOPPED_SECONDS - time.monotonic() if long else 0)
        codes = [await asyncio.to_thread(guest.close_code) for guest in guests]
        return seconds, {code or 1006 for code in codes}


async def stopped_reading(long: bool) -> Tally:
    """Guests of a busy room, and of a quiet one, answer nothing and read nothing any more."""
    needs_linux()
    ledger, noted = Ledger(), Tally()
    with sqlite_site(**({} if long else PINGS)) as site, site.serve() as server:
        talkers = [LongTalker(ledger, [server]) for _ in range(2)]
        listeners = [Listener(ledger, "bob", [server], "bob")]
        async with listening(*listeners):
            async with talking(*talkers):
                await listeners[0].reached(300)  # the room keeps no more than its newest 300 in memory
                before = [len(one.waits) for one in talkers]
                if long:  # a first round fills what the server keeps anyway
                    await stop_reading(noted, server, long)
                size = resident_bytes(server)
                seconds, read = await stop_reading(noted, server, long)
                grown = resident_bytes(server) - size
            tally = await settled(site, ledger, listeners)
        promise_calm(tally, server)
        codes = said_closes(server)
    tally.recovered_in = seconds
    tally.broken += noted.broken
    tally.promise(bool(codes) and codes | read <= CLOSES, f"they were closed with {codes}, {read}")
    allowed = MEMORY_BYTES_LONG if long else MEMORY_BYTES
    tally.promise(grown <= allowed, f"memory grew by {grown / 1024**2:.0f} MiB")
    promise_latency(tally, talkers, before)
    promise_open(tally, [*talkers, *listeners])
    return tally


_PROMISE = "closed within 45 s and its socket really gone, other clients' latency unchanged"
ROWS = (
    Row("a client vanishes without FIN", f"{_PROMISE}, and it has left the room", vanished),
    Row("a client stops reading for 60 s", f"{_PROMISE}, memory back", stopped_reading),
)


async def test_clients_that_vanish_without_a_word_are_let_go_of() -> None:
    await ROWS[0].short()


async def test_clients_that_stop_reading_are_let_go_of_with_their_memory() -> None:
    await ROWS[1].short()
