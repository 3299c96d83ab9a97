"""`python -m benchmarks.profile fanout`, or `chat`, `clicks`, `echo`, `connects`: where Chorus' time goes, by py-spy.

Prints the functions in which most samples ended (self) and the share of samples they were anywhere in (total).
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from benchmarks.load.generator import Connection, Load
from benchmarks.load.patterns import Publisher, calls, ping_pong
from benchmarks.machine import LOAD_CORES, raise_open_files
from benchmarks.rows.clicks import COMMAND
from benchmarks.rows.fanout import connect
from benchmarks.servers import MESSAGE_BYTES, SENDING, Bench, Target

SHOWN = 25


def fanout(load: Load, target: Target, window: int) -> Callable[[], None]:
    """Unstored messages to 500 subscribers."""
    Publisher(load, connect(load, target, "broadcast", 500), target.payload, window).start()
    return lambda: load.run(0.1)


def chat(load: Load, target: Target, window: int) -> Callable[[], None]:
    """Stored messages to 500 readers, on SQLite."""
    Publisher(load, connect(load, target, "room", 500), target.payload, window).start()
    return lambda: load.run(0.1)


def clicks(load: Load, target: Target, window: int) -> Callable[[], None]:
    """200 people on one counter, on SQLite."""
    connections = connect(load, target, "counter", 200)
    return lambda: _calls(load, target, connections)


def _calls(load: Load, target: Target, connections: list[Connection]) -> None:
    calls(load, target.pid, connections, COMMAND, 0.5)


def echo(load: Load, target: Target, window: int) -> Callable[[], None]:
    """50 connections."""
    connections = connect(load, target, "echo", 50)
    return lambda: _ping_pong(load, target, connections)


def _ping_pong(load: Load, target: Target, connections: list[Connection]) -> None:
    ping_pong(load, target.pid, connections, "x" * MESSAGE_BYTES, 0.5)


def connects(load: Load, target: Target, window: int) -> Callable[[], None]:
    """Logins by token, 500 at a time."""
    return lambda: load.close(target.open(load, "login", 500))


LOADS = {each.__name__: each for each in (fanout, chat, clicks, echo, connects)}


def summary(folded: str) -> list[str]:
    """What py-spy's folded stacks say, a line for each function: self and total in percent of all samples."""
    own, total, samples = Counter[str](), Counter[str](), 0
    for line in folded.splitlines():
        stack, _, number = line.rpartition(" ")
        names, count = [_function(frame) for frame in stack.split(";")], int(number)
        samples += count
        own[names[-1]] += count
        for name in set(names):
            total[name] += count
    head = [f"{samples} samples", " self  total"]
    return [*head, *(f"{n / samples:5.1%} {total[name] / samples:6.1%}  {name}" for name, n in own.most_common(SHOWN))]


def _function(frame: str) -> str:
    return frame.rpartition(":")[0] + ")" if ":" in frame else frame


def main() -> None:
    """Profile one load."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument("load", choices=LOADS)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--window", type=int, default=1, help="messages under way, of fanout and chat (1)")
    asked = parser.parse_args()
    raise_open_files()
    os.sched_setaffinity(0, LOAD_CORES)
    bench = Bench(1, 1)
    try:
        with tempfile.TemporaryDirectory() as directory, bench.chorus(limits=SENDING) as target, Load() as load:
            folded = Path(directory) / "folded"
            options = ["-p", str(target.pid), "-d", str(asked.seconds), "-r", "400", "-f", "raw", "-o", str(folded)]
            apply_load = LOADS[asked.load](load, target, asked.window)
            with subprocess.Popen([py_spy(), "record", "--nonblocking", *options]) as recorder:
                while recorder.poll() is None:
                    apply_load()
            sys.stdout.write("\n".join(summary(folded.read_text())) + "\n")
    finally:
        bench.close()


def py_spy() -> str:
    """The program, installed beside this Python."""
    return str(Path(sys.executable).with_name("py-spy"))


if __name__ == "__main__":
    main()
