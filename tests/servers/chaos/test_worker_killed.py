"""Workers that die in the middle of a commit, an acknowledgement, a broadcast."""

import asyncio
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence

from tests.processes import Server, missing
from tests.servers.chaos.ledger import Ledger, Tally
from tests.servers.chaos.rows import Row
from tests.servers.chaos.traffic import Listener, Talker, listening, settled, sqlite_site, talking
from tests.servers.clients import eventually

WORKERS = 2
REPLACED_SECONDS = 10.0
"""Within which the supervisor starts another worker for one that was killed."""


def workers(server: Server) -> list[int]:
    """The worker processes of a supervisor, the oldest first."""
    ps = shutil.which("ps") or missing("ps", "sudo apt-get install procps")
    columns = ["-o", "pid=", "-o", "ppid=", "-o", "args="]
    listed = subprocess.run([ps, "-A", "-ww", *columns], check=True, capture_output=True, text=True).stdout
    processes = [line.split(None, 2) for line in listed.splitlines()]
    # The supervisor's other child is the resource tracker of multiprocessing.
    return sorted(int(pid) for pid, parent, args in processes if parent == str(server.pid) and "spawn_main" in args)


async def replaced(server: Server, pid: int) -> float:
    """Kill a worker and wait until another takes its place; returns the seconds it took."""
    os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    await eventually(lambda: len(set(workers(server)) - {pid}) == WORKERS)
    return time.monotonic() - began


async def oldest(server: Server) -> int:
    """The worker that has had the most time to get sockets."""
    return (await asyncio.to_thread(workers, server))[0]


async def flows(talkers: Sequence[Talker]) -> None:
    """Wait until workers that started have taken up their work; a worker killed before it serves proves nothing."""
    enough = sum(len(one.waits) for one in talkers) + 2 * len(talkers)
    await eventually(lambda: sum(len(one.waits) for one in talkers) >= enough)
    await asyncio.sleep(random.uniform(0, 0.3))


def promise_replacement(tally: Tally, seconds: list[float]) -> None:
    """Note whether every killed worker was replaced in time."""
    slow = [each for each in seconds if each > REPLACED_SECONDS]
    tally.promise(not slow, f"{len(slow)} workers were replaced after more than {REPLACED_SECONDS:g} s")


async def killed(long: bool) -> Tally:
    """20 kills while four talk and four listen; long: 200."""
    kills, gaps = 200 if long else 20, list[float]()
    with sqlite_site() as site, site.serve(workers=WORKERS) as server:
        ledger = Ledger()
        listeners = [Listener(ledger, f"{n}", [server], "bob") for n in range(4)]
        talkers = [Talker(ledger, [server], pause=0.1 if long else 0.01) for _ in range(4)]
        async with listening(*listeners):
            async with talking(*talkers):
                for _ in range(kills):
                    await flows(talkers)
                    gaps.append(await replaced(server, await oldest(server)))
            tally = await settled(site, ledger, listeners)
    tally.recovered_in = max(wait for one in talkers for wait in one.waits)
    promise_replacement(tally, gaps)
    cut = sum(len(one.closes) for one in (*listeners, *talkers))
    tally.promise(cut >= kills / 2, f"only {cut} connections were cut: nothing was proved")
    resumed = all(event["recovered"] for one in listeners for event in one.joins[1:])
    tally.promise(resumed, "a receiver that came back was told that it missed something for good")
    return tally


ROWS = (
    Row(
        "worker SIGKILLed during sends",
        "nothing acknowledged lost, nothing doubled after the clients' retries",
        killed,
    ),
)


def test_what_a_killed_worker_had_acknowledged_is_there_once_and_in_order() -> None:
    # No coroutine: twenty workers have to start, for which a busy machine needs more than a test here may take.
    asyncio.run(asyncio.wait_for(ROWS[0].short(), 150))


async def test_a_worker_that_dies_while_its_supervisor_waits_for_it_is_replaced_at_once() -> None:
    with sqlite_site() as site, site.serve(workers=WORKERS) as server:
        pid = await oldest(server)
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(1)  # the supervisor asks every half second whether it lives, and waits for the answer
        assert await replaced(server, pid) < REPLACED_SECONDS
