"""What is watched while a fault is under way: how soon answers come, and that a log stays calm."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from tests.processes import Process
from tests.servers.chaos.ledger import Tally
from tests.servers.chaos.traffic import SETTLE_SECONDS, Client, Listener, Talker
from tests.servers.clients import Event, eventually

ANSWERED_SECONDS = 5.0
"""What the server promises, whatever storage does."""
SLACK_SECONDS = 0.9
"""For a machine that does other things too; a client gives up only after this."""
RECOVERY_SECONDS = 30.0


class TimedTalker(Talker):
    """A talker that notes how long each answer took, an acknowledgement or `unavailable`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.answered_in: list[float] = []
        """Seconds, of every time something was sent; what was never answered counts with the time waited."""

    async def _acknowledgement(self, id: str) -> Event | None:
        began = time.monotonic()
        try:
            return await super()._acknowledgement(id)
        finally:
            self.answered_in.append(time.monotonic() - began)


def unavailable(talkers: Sequence[Talker]) -> int:
    """How often they have read `unavailable`."""
    return sum(one.refusals["unavailable"] for one in talkers)


async def refused(talkers: Sequence[Talker], times: int = 1) -> None:
    """Wait until `unavailable` was answered so many times more; raises TimeoutError after RECOVERY_SECONDS."""
    before = unavailable(talkers)
    async with asyncio.timeout(RECOVERY_SECONDS):
        await eventually(lambda: unavailable(talkers) >= before + times)


async def acknowledged_again(talkers: Sequence[Talker]) -> float:
    """Wait until each was acknowledged twice more; returns the seconds. Raises TimeoutError after RECOVERY_SECONDS."""
    began = time.monotonic()
    before = [len(one.waits) for one in talkers]
    async with asyncio.timeout(RECOVERY_SECONDS):
        await eventually(lambda: all(len(one.waits) > count + 1 for one, count in zip(talkers, before, strict=True)))
    return time.monotonic() - began


async def all_reached(listeners: Sequence[Listener], seq: int, seconds: float = SETTLE_SECONDS) -> None:
    """Wait until each has the entry at a position, at most so long: what is missing then, the ledger counts."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(one.reached(seq) for one in listeners))


def promise_prompt(tally: Tally, talkers: Sequence[TimedTalker]) -> None:
    """Everything sent was answered within ANSWERED_SECONDS."""
    slowest = max(seconds for one in talkers for seconds in one.answered_in)
    tally.promise(slowest <= ANSWERED_SECONDS + SLACK_SECONDS, f"an answer took {slowest:.1f} s")


def promise_open(tally: Tally, clients: Sequence[Client]) -> None:
    """Nobody's socket was closed."""
    closes = [code for one in clients for code in one.closes]
    tally.promise(not closes, f"sockets were closed: {closes}")


def promise_calm(tally: Tally, *processes: Process) -> None:
    """No server printed a traceback."""
    for one in processes:
        tally.promise("Traceback" not in one.log, f"a traceback in the log of port {one.port}")
