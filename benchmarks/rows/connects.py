"""Connections opened per second, 64 handshakes under way, until the server has accepted the last.

Chorus: `/ws/secure-echo/`, logged in by token in the handshake, which it looks up in its database and, once a minute
for each token, notes as used; each connection has a token of its own, used for the first time or not. And a chat
room, so with access, presence and history. Peers: the bare `websockets` library and Starlette without a login;
Channels, logged in by token through its stack of middleware. Nobody hangs up while it is measured.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks.load.generator import Load
from benchmarks.machine import cpu_seconds
from benchmarks.results import Goal, Sample
from benchmarks.servers import Bench, Target

TITLE = "Connections opened"
UNIT = "connections/s"
COUNT = 1000
CASE, FIRST, ROOM = "login by token", "login by token, its first use", "into a room"
GOALS = (
    Goal(CASE, 0.5, "websockets"),
    Goal(CASE, 3, "Channels, Uvicorn"),
    Goal(CASE, 3, "Channels, Daphne"),
    Goal(FIRST, 0.5, "websockets", peer_case=CASE),
)


def run(bench: Bench) -> Iterator[Sample]:
    """All by turns."""
    servers = (bench.websockets(), bench.chorus(), bench.starlette(), bench.stock("Uvicorn"), bench.stock("Daphne"))
    with ExitStack() as stack:
        targets = [stack.enter_context(server) for server in servers]
        chorus = targets[1]
        for target in targets:
            _connect(target, "login", 0)  # the first connections load what is loaded late
        for turn in range(bench.rounds):
            yield _sample(chorus, "login", FIRST, first=(turn + 1) * COUNT)
            for target in targets:
                yield _sample(target, "login", CASE, first=(turn + 1) * COUNT)
            yield _sample(chorus, "room", ROOM, first=(turn + 1) * COUNT)


def _sample(target: Target, work: str, case: str, first: int) -> Sample:
    cpu, load_cpu = cpu_seconds(target.pid), time.process_time()
    seconds = _connect(target, work, first)
    notes = {
        "server_cpu": (cpu_seconds(target.pid) - cpu) / seconds,
        "load_cpu": (time.process_time() - load_cpu) / seconds,
    }
    target.wait_idle()
    return Sample(case, target.name, COUNT / seconds, notes)


def _connect(target: Target, work: str, first: int) -> float:
    with Load() as load:
        start = time.perf_counter()
        target.open(load, work, COUNT, first=first)
        return time.perf_counter() - start
