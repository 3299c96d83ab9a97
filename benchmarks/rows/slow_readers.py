"""What 20 slow readers cost 480 others in the same group: their deliveries per second, and their latency.

The peer is Chorus without the 20. They read 2 KB ten times a second, and their kernel buffers are full when it begins,
so that every frame for them waits in the server. Throughput with window 8 (the publisher's
command rate is raised), latency at 140 messages a second.
"""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from functools import partial

from benchmarks.load.generator import Connection, Load
from benchmarks.load.patterns import Publisher, at_rate, fan_out
from benchmarks.results import Goal, Sample
from benchmarks.rounds import until_saturated
from benchmarks.rows.fanout import connect
from benchmarks.servers import SENDING, Bench, Target

TITLE = "Slow readers"
UNIT = "deliveries/s to the others"
READERS, SLOW = 480, 20
WITH, WITHOUT = f"{SLOW} slow readers", "none"
PER_SECOND = 140
FILL = "x" * 8000
RECEIVE_BYTES = 4096
GOALS = (
    Goal(WITH, 0.9, "Chorus", of="per_cpu", peer_case=WITHOUT),
    Goal(WITH, 1.5, "Chorus", best="most", of="p99", peer_case=WITHOUT),
)


def run(bench: Bench) -> Iterator[Sample]:
    """With and without by turns; the slow ones are others in each round."""
    with ExitStack() as stack:
        target, load = stack.enter_context(bench.chorus(limits=SENDING)), stack.enter_context(Load())
        readers = connect(load, target, "broadcast", READERS)
        for _ in range(bench.rounds):
            yield _measure(bench, load, target, readers, [], WITHOUT)
            slow = _slow_readers(load, target, readers)
            yield _measure(bench, load, target, readers, slow, WITH)
            load.close(slow)
            load.wait_quiet()


def _slow_readers(load: Load, target: Target, readers: list[Connection]) -> list[Connection]:
    slow = target.open(load, "broadcast", SLOW, first=READERS)
    for each in slow:
        load.forget(each)  # from here on it is read by _read_a_little
        each.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    publisher = Publisher(load, readers, FILL, 4)
    publisher.start()
    load.wait_until(lambda: publisher.sent * len(FILL) > 600_000, "the kernel's buffers are full")
    publisher.finish()
    load.wait_quiet()
    return slow


def _measure(
    bench: Bench, load: Load, target: Target, readers: list[Connection], slow: list[Connection], case: str
) -> Sample:
    load.every_tenth_of_a_second = lambda: _read_a_little(slow)
    measure = partial(fan_out, load, target.pid, readers, target.payload, 8, bench.seconds)
    value, notes = until_saturated(measure)
    timed = at_rate(load, target.pid, [readers], str(target.payload), PER_SECOND, 2 * bench.seconds)
    load.every_tenth_of_a_second = None
    notes |= {"p50": timed["p50"], "p99": timed["p99"]}
    return Sample(case, target.name, value, notes)


def _read_a_little(slow: list[Connection]) -> None:
    for each in slow:
        with suppress(BlockingIOError, ConnectionResetError):
            each.socket.recv(2048)
