"""How the load is applied: a publisher with a window, one with a clock, callers that each wait for their answer."""

import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.load.generator import Connection, Load, LoadError, OnRead
from benchmarks.load.wire import client_frame
from benchmarks.machine import beside_the_load, cpu_seconds
from benchmarks.results import percentile

WARM_UP_SECONDS = 0.15
REFUSED = b'"type":"error"'


@dataclass(slots=True)
class Meter:
    """What happens between two moments: messages read, and CPU time of the server, the load and what is beside it."""

    load: Load
    server_pid: int
    _start: tuple[float, int, int, float, float, float] = field(init=False)

    def __post_init__(self) -> None:
        self._start = self._now()

    def _now(self) -> tuple[float, int, int, float, float, float]:
        return (
            time.perf_counter(),
            self.load.frames,
            self.load.reads,
            time.process_time(),
            cpu_seconds(self.server_pid),
            sum(map(cpu_seconds, beside_the_load)),
        )

    def stop(self) -> tuple[float, float, dict[str, float]]:
        """Seconds since the start, messages in them, and notes."""
        seconds, frames, reads, load_cpu, server_cpu, beside_cpu = (
            now - then for now, then in zip(self._now(), self._start, strict=True)
        )
        notes = {
            "frames_per_read": frames / max(reads, 1),
            "server_cpu": server_cpu / seconds,
            "load_cpu": load_cpu / seconds,
        }
        if beside_cpu > 0.01 * seconds:
            notes["beside_cpu"] = beside_cpu / seconds
        return seconds, frames, notes


class Publisher:
    """One of the subscribers, which keeps `window` messages under way: sent and not yet come back to itself."""

    def __init__(self, load: Load, subscribers: Sequence[Connection], payload: str | bytes, window: int) -> None:
        self._load, self._subscribers = load, subscribers
        self._connection = subscribers[0]
        self._frame = client_frame(payload, self._connection.speech.opcode)
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
    load: Load, pid: int, subscribers: Sequence[Connection], payload: str | bytes, window: int, seconds: float
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
    load: Load, pid: int, rooms: Sequence[Sequence[Connection]], payload: str, per_second: float, seconds: float
) -> dict[str, float]:
    """Latency in ms with so many messages per second in each room, whatever comes back when: `p50`, `p99`, and notes.

    Who is in a room sends by turns; the rooms' messages are spread over time. A message's latency is from the moment it
    was due to be sent until a reader's read brought it. Raises LoadError if the server refuses one.
    """
    due_at: list[list[float]] = [[] for _ in rooms]
    seen = array("d")
    for room, dues in zip(rooms, due_at, strict=True):
        for reader in room:
            reader.on_read = _timing(load, dues, seen)
    try:
        meter = Meter(load, pid)
        _send_on_time(load, rooms, due_at, client_frame(payload), per_second, seconds)
        took, frames, notes = meter.stop()
        deliveries = sum(len(room) * len(dues) for room, dues in zip(rooms, due_at, strict=True))
        load.wait_until(lambda: len(seen) >= deliveries, "every reader has every message")
    finally:
        for reader in (reader for room in rooms for reader in room):
            reader.on_read = None
    milliseconds = [1000 * each for each in seen[len(seen) // 10 :]]  # the first tenth is warm-up
    figures = {"p50": percentile(milliseconds, 50), "p99": percentile(milliseconds, 99)}
    return {**figures, "per_second": frames / took, **notes}


def _send_on_time(
    load: Load,
    rooms: Sequence[Sequence[Connection]],
    due_at: Sequence[list[float]],
    frame: bytes,
    per_second: float,
    seconds: float,
) -> None:
    start, sent = time.perf_counter(), 0
    while (now := time.perf_counter()) - start < seconds:
        due = start + sent / (per_second * len(rooms))
        if now >= due:
            index, turn = sent % len(rooms), sent // len(rooms)
            due_at[index].append(due)
            rooms[index][turn % len(rooms[index])].send(frame)
            sent += 1
        load.turn(max(due - now, 0.0))


def _timing(load: Load, due_at: list[float], seen: "array[float]") -> OnRead:
    index = 0

    def on_read(count: int, size: int) -> None:
        nonlocal index
        now = time.perf_counter()
        if load.buffer.find(REFUSED, 0, size) >= 0:
            raise LoadError(f"refused: {bytes(load.buffer[:size])[:300]!r}")
        for _ in range(count):
            seen.append(now - due_at[index])
            index += 1

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
            if self._buffer.find(REFUSED, 0, size) >= 0:
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
