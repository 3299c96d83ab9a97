"""How long coming back takes when 300 messages were missed, in a room of a thousand to a million: milliseconds.

From the connect to the last of the 300. Nobody else is in the room, so that they come from the database, not from
memory. The peer is Chorus itself with a thousand messages. SQLite.
"""

import sqlite3
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

from benchmarks.load.generator import Load, LoadError
from benchmarks.results import Goal, Sample
from benchmarks.servers import Bench, Target

TITLE = "Replay of 300 messages"
UNIT = "ms"
STORED = (1000, 10_000, 100_000, 1_000_000)
MISSED = 300
TIMES = 5
"""Connections of which a sample is the median."""
CHAT, FIRST = b'"type":"chat"', b'"type":"chat","seq":%d,'


def case(stored: int) -> str:
    """How a case is called."""
    return f"{stored:,} stored"


GOALS = tuple(Goal(case(count), 1.2, "Chorus", best="most", peer_case=case(STORED[0])) for count in STORED[1:])

FILL = """
    WITH RECURSIVE counted(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM counted WHERE seq < :count)
    INSERT INTO chat_message (stream_id, seq, sender_key, sender_name, client_id, digest, created_at, text, deleted)
    SELECT :room, seq, 'user:1', 'member-0', NULL, '', '2026-01-01 00:00:00', :text || seq, 0 FROM counted
"""


def run(bench: Bench) -> Iterator[Sample]:
    """A room of each size in one database, by turns."""
    with ExitStack() as stack:
        target = stack.enter_context(bench.chorus())
        epochs = {count: _fill(target.data_dir, f"table-{index}", count) for index, count in enumerate(STORED)}
        for _ in range(bench.rounds):
            for index, count in enumerate(STORED):
                since = f"?since={count - MISSED}&epoch={epochs[count]}"
                target.paths = {**target.paths, "replay": f"/ws/chat/table-{index}/{since}"}
                took = statistics.median(_come_back(target, count) for _ in range(TIMES))
                yield Sample(case(count), target.name, 1000 * took)


def _fill(data_dir: Path, room: str, count: int) -> str:
    """Put messages into a room behind the server's back; returns its epoch."""
    with closing(sqlite3.connect(data_dir / "chorus.sqlite3", timeout=30)) as database, database:
        pk, epoch = database.execute("SELECT id, epoch FROM chat_room WHERE name = ?", [room]).fetchone()
        database.execute(FILL, {"count": count, "room": pk, "text": "x" * 120})
        database.execute("UPDATE chat_room SET last_seq = ? WHERE id = ?", [count, pk])
    return str(epoch)


def _come_back(target: Target, last: int) -> float:
    with Load() as load:
        start = time.perf_counter()
        seen = bytearray()
        target.open(load, "replay", 1, on_read=lambda _, size: seen.extend(load.buffer[:size]))
        load.wait_until(lambda: seen.count(CHAT) >= MISSED, "all messages have come")
        took = time.perf_counter() - start
    if FIRST % (last - MISSED + 1) not in seen:
        raise LoadError("others than those that were missed came back")
    target.wait_idle(wait_seconds=1)
    return took
