"""How the load is applied: a publisher with a window, one with a clock, callers that each wait for their answer."""

import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.load.generator import Connection, Load, LoadError, OnRead
from benchmarks.load.wire import client_frame
from benchmarks.machine import cpu_seconds
from benchmarks.results import percentile

WARM_UP_SECONDS = 0.15


@dataclass(slots=True)
class Meter:
    """What happens between two moments: messages read, and CPU time of the server and of the load."""

    load: Load
    server_pid: int
    _start: tuple[float, int, int, float, float] = field(init=False)

    def __post_init__(self) -> None:
        self._start = self._now()

    def _now(self) -> tuple[float, int, int, float, float]:
        return (
            time.perf_counter(),
            self.load.frames,
            self.load.reads,
            time.process_time(),
            cpu_seconds(self.server_pid),
        )

    def stop(self) -> tuple[float, float, dict[str, float]]:
        """Seconds since the start, messages in them, and notes."""
        seconds, frames, reads, load_cpu, server_cpu = (
            now - then for now, then in zip(self._now(), self._start, strict=True)
        )
        notes = {
            "frames_per_read": frames / max(reads, 1),
            "server_cpu": server_cpu / seconds,
            "load_cpu": load_cpu / seconds,
        }
        return seconds, frames, notes


class Publisher:
    """One of the subscribers, which keeps `window` messages under way: sent and not yet come back to itself."""

    def __init__(self, load: Load, subscribers: Sequence[Connection], payload: str | bytes, window: int) -> None:
        self._load, self._subscribers = load, subscribers
        self._connection = subscribers[0]
        self._frame = client_frame(payload)
        self._window = window
        self._expected = [each.received for each in subscribers]
        self.sent = 0

    def _publish(self, count: int) -> None:
        self.sent += count
        self._connection.send(self._frame * count)

    def start(self) -> None:
        """Fill the window and keep it full."""
        self._connection.on_read = lambda count, _: self._publish(count) if count else None
        self._publish(self._window)

    def finish(self) -> None:
        """Send no more, and wait until everyone has everything; raises LoadError if a message was lost."""
        self._connection.on_read = None
        expected = [before + self.sent for before in self._expected]
        self._load.wait_until(
            lambda: all(each.received >= due for each, due in zip(self._subscribers, expected, strict=True)),
            "every subscriber has every message",
        )


def fan_out(
    load: Load, pid: int, subscribers: Sequence[Connection], payload: str, window: int, seconds: float
) -> tuple[float, dict[str, float]]:
    """Deliveries per second with `window` messages under way, and notes."""
    publisher = Publisher(load, subscribers, payload, window)
    publisher.start()
    load.run(WARM_UP_SECONDS)
    meter = Meter(load, pid)
    load.run(seconds)
    took, frames, notes = meter.stop()
    publisher.finish()
    return frames / took, notes


def at_rate(
    load: Load, pid: int, readers: Sequence[Connection], payload: str, per_second: float, seconds: float
) -> dict[str, float]:
    """Latency in ms with so many messages per second, whatever comes back when: `p50`, `p99`, and notes.

    A message's latency is from the moment it was due to be sent until a reader's read brought it.
    """
    publisher, frame = readers[0], client_frame(payload)
    due_at: list[float] = []
    seen = array("d")
    for reader in readers:
        reader.on_read = _timing(reader, due_at, seen)
    meter = Meter(load, pid)
    start = time.perf_counter()
    while (now := time.perf_counter()) - start < seconds:
        due = start + len(due_at) / per_second
        if now >= due:
            due_at.append(due)
            publisher.send(frame)
        else:
            load.turn(due - now)
    took, frames, notes = meter.stop()
    load.wait_until(lambda: len(seen) >= len(due_at) * len(readers), "every reader has every message")
    for reader in readers:
        reader.on_read = None
    milliseconds = [1000 * each for each in seen[len(seen) // 10 :]]  # the first tenth is warm-up
    figures = {"p50": percentile(milliseconds, 50), "p99": percentile(milliseconds, 99)}
    return {**figures, "per_second": frames / took, **notes}


def _timing(reader: Connection, due_at: list[float], seen: "array[float]") -> OnRead:
    before = reader.received
    index = 0

    def on_read(count: int, _: int) -> None:
        nonlocal index
        now = time.perf_counter()
        for _ in range(count):
            seen.append(now - due_at[index])
            index += 1

    assert reader.received == before
    return on_read


def ping_pong(
    load: Load, pid: int, connections: Sequence[Connection], payload: str, seconds: float
) -> tuple[float, dict[str, float]]:
    """Round trips per second of connections that each send the next message when the last has come back."""
    frame = client_frame(payload)
    for connection in connections:
        connection.on_read = _again(connection, frame)
        connection.send(frame)
    load.run(WARM_UP_SECONDS)
    meter = Meter(load, pid)
    load.run(seconds)
    took, frames, notes = meter.stop()
    for connection in connections:
        connection.on_read = None
    load.wait_quiet(0.1)
    return frames / took, notes


def _again(connection: Connection, frame: bytes) -> OnRead:
    def on_read(count: int, _: int) -> None:
        if count:
            connection.send(frame * count)

    return on_read


class Caller:
    """A connection that sends commands with an id and waits for each one's answer, among all else that it reads.

    Its ids begin with a mark that nobody else's have, so that an answer is found without reading JSON.
    """

    def __init__(self, load: Load, connection: Connection, index: int, command: str) -> None:
        self._buffer, self._connection = load.buffer, connection
        self._mark = f"caller-{index:04}-".encode()
        self._command = command
        self._tail = b""
        self.sent = self.answered = 0
        connection.on_read = self._on_read
        self.more = True

    def call(self) -> None:
        """Send the next command; `%s` in it is the id."""
        self._connection.send(client_frame(self._command % f"{self._mark.decode()}{time.time_ns():x}"))
        self.sent += 1

    def _on_read(self, _: int, size: int) -> None:
        found = self._buffer.count(self._mark, 0, size)
        beside = len(self._mark) - 1
        if self._tail:  # a mark that two reads share
            found += (self._tail + self._buffer[: min(beside, size)]).count(self._mark)
        self._tail = bytes(self._buffer[max(size - beside, 0) : size])
        if found:
            if self._buffer.find(b'"type":"error"', 0, size) >= 0:
                raise LoadError(f"refused: {bytes(self._buffer[:size])[:300]!r}")
            self.answered += found
            if self.more:
                self.call()


def calls(
    load: Load, pid: int, connections: Sequence[Connection], command: str, seconds: float
) -> tuple[float, dict[str, float]]:
    """Answers per second to connections that each have one command under way, and notes."""
    callers = [Caller(load, connection, index, command) for index, connection in enumerate(connections)]
    for caller in callers:
        caller.call()
    load.run(3 * WARM_UP_SECONDS)
    before = sum(caller.answered for caller in callers)
    meter = Meter(load, pid)
    load.run(seconds)
    took, _, notes = meter.stop()
    answered = sum(caller.answered for caller in callers) - before
    for caller in callers:
        caller.more = False
    load.wait_until(lambda: all(caller.answered >= caller.sent for caller in callers), "every command is answered")
    for connection in connections:
        connection.on_read = None
    return answered / took, notes
