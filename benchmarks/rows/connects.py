"""Connections opened per second, 64 handshakes under way, until the server has accepted the last.

The server's CPU time is that until it has no more to do for those who came, so a login behind the answer counts too.
Chorus: `/ws/secure-echo/`, logged in by token in the handshake, which it looks up in its database and, once a minute
for each token, notes as used; each connection has a token of its own, used for the first time or not. And a chat
room, so with access, presence and history. Every limit is the default. Peers: Channels, logged in by token through its
stack of middleware; all others without a login, into their one group, and of NATS and Mosquitto the WebSocket's opening
alone, not the greeting of their own protocols behind it. Nobody hangs up while it is measured.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from benchmarks.load.generator import Load
from benchmarks.load.patterns import Meter
from benchmarks.machine import cpu_seconds
from benchmarks.others import enter_all
from benchmarks.results import Goal, Sample
from benchmarks.rounds import Measured, turn
from benchmarks.servers import Bench, Target

TITLE = "Connections opened"
UNIT = "connections/s"
COUNT = 1000
CASE, FIRST, ROOM = "login by token", "login by token, its first use", "into a room"
GOALS = (
    Goal(CASE, 0.6, "websockets", of="per_cpu"),
    Goal(CASE, 3, "Channels, Uvicorn", of="per_cpu"),
    Goal(CASE, 3, "Channels, Daphne", of="per_cpu"),
    Goal(FIRST, 0.5, "websockets", of="per_cpu", peer_case=CASE),
)


def run(bench: Bench) -> Iterator[Sample]:
    """All by turns."""
    servers = (bench.websockets(), bench.chorus(), bench.starlette(), bench.stock("Uvicorn"), bench.stock("Daphne"))
    with ExitStack() as stack:
        targets = [stack.enter_context(server) for server in servers] + enter_all(stack, "login")
        chorus = targets[1]
        for target in targets:
            _measure(target, "login", 0)  # the first connections load what is loaded late
        first = 0

        def unused() -> Measured:
            """With tokens that nobody has used."""
            nonlocal first
            first += COUNT
            return _measure(chorus, "login", first)

        for _ in range(bench.rounds):
            yield from turn(bench, chorus, FIRST, unused)
            for target in targets:
                yield from turn(bench, target, CASE, partial(_measure, target, "login", first))
            yield from turn(bench, chorus, ROOM, partial(_measure, chorus, "room", first))


def _measure(target: Target, work: str, first: int) -> Measured:
    """Opened a second; the server's CPU time is that until it has no more to do for those who came."""
    with Load() as load:
        meter, cpu = Meter(load, target.pid), cpu_seconds(target.pid)
        target.open(load, work, COUNT, first=first)
        seconds, _, notes = meter.stop()
        load.wait_quiet(0.1)
        target.wait_idle()
        del notes["frames_per_read"]  # there are hardly any
        notes["per_cpu"] = COUNT / (cpu_seconds(target.pid) - cpu)
    target.wait_idle()
    return COUNT / seconds, notes
