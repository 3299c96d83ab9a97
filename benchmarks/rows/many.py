"""18,000 connections in one process, each in a chat room and logged in by token: opened, one message to all, closed.

Alone, since a process of this machine may have 20,000 files. `CHORUS_CONNECTIONS_PER_PROCESS` is raised; every other
limit is the default. The value is the server's memory for each connection above what it used with 50; the message is
stored, and `told` is from its sending until the last has it. Nobody may be closed, or the row fails. What more
connections would need is reckoned from these figures (`reckoned`): as many such processes, each with a core.
"""

import time
from collections.abc import Iterator, Sequence
from math import ceil
from pathlib import Path

from benchmarks.load.generator import Connection, Load, LoadError
from benchmarks.load.wire import client_frame
from benchmarks.machine import family, raise_open_files
from benchmarks.results import Goal, Sample
from benchmarks.servers import MANY, Bench, Target

TITLE = "18,000 connections in one process"
UNIT = "KB"
COUNT, FIRST = 18_000, 50
SPARE_FILES = 500
RECKONED = (50_000, 1_000_000)
CLOSED_SECONDS = 30.0


def case(connections: int) -> str:
    """How a case is called."""
    return f"{connections:,} connections" + ("" if connections == COUNT else ", reckoned")


GOALS = (Goal(case(COUNT), 8, "", best="most"),)


def run(bench: Bench) -> Iterator[Sample]:
    """Once: two runs differ by 2 %."""
    if raise_open_files() < COUNT + SPARE_FILES:
        bench.left_out["Chorus"] = f"a process may open fewer than {COUNT + SPARE_FILES:,} files (ulimit -n)"
        return
    with bench.chorus(limits=MANY) as target:
        kilobytes, notes = _measure(target)
        yield Sample(case(COUNT), target.name, kilobytes, notes)
        for connections in RECKONED:
            megabytes, processes = connections * kilobytes / 1000, ceil(connections / COUNT)
            yield Sample(case(connections), target.name, kilobytes, {"total_mb": megabytes, "processes": processes})


def _measure(target: Target) -> tuple[float, dict[str, float]]:
    with Load() as load:
        connections = target.open(load, "room", FIRST)
        load.wait_quiet()
        before, files, start = target.memory, _files(target), time.perf_counter()
        connections += target.open(load, "room", COUNT - FIRST, first=FIRST)
        opened = time.perf_counter() - start
        load.wait_quiet(1.0)
        target.wait_idle()
        grown = target.memory - before
        told = _tell_all(load, target, connections)
        start = time.perf_counter()
        load.close(connections)
    _wait_closed(target, files)
    notes = {"total_mb": grown / 1e6, "opened_s": opened, "told_s": told, "closed_s": time.perf_counter() - start}
    return grown / 1000 / (COUNT - FIRST), notes


def _tell_all(load: Load, target: Target, connections: Sequence[Connection]) -> float:
    """Seconds until all have one message; raises LoadError if somebody has not."""
    due = [each.received + 1 for each in connections]
    frames, start = load.frames + len(connections), time.perf_counter()
    connections[0].send(client_frame(target.payload))
    load.wait_until(lambda: load.frames >= frames, "everyone has the message")
    took = time.perf_counter() - start
    if any(each.received < least for each, least in zip(connections, due, strict=True)):
        raise LoadError("somebody does not have the message")
    return took


def _files(target: Target) -> int:
    """How many files the server has open."""
    return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in family(target.pid))


def _wait_closed(target: Target, files: int) -> None:
    deadline = time.monotonic() + CLOSED_SECONDS
    while _files(target) > files:
        if time.monotonic() > deadline:
            raise LoadError(f"the server keeps connections open {CLOSED_SECONDS:g} s after their end")
        time.sleep(0.05)
