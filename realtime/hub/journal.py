"""Group commit: entries from sockets that arrive while a commit runs go into the next one together.

No timer: an idle writer commits at once, a busy one finds all that came meanwhile waiting.
"""

import asyncio
import logging
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from realtime import db
from realtime.hub.hub import current_hub
from realtime.per_loop import PerLoop
from realtime.streams.commit import NO_WAIT, LockWait, Outcome, commit
from realtime.streams.entry import AnyEntry, Entry
from realtime.streams.stream import Stream

BATCH = 500
"""Entries in one transaction at most."""
LOCK_SECONDS = 4.0
"""How long a stream that another transaction holds is waited for."""

logger = logging.getLogger("chorus.journal")


@dataclass(slots=True, eq=False)
class _Handed:
    entry: Entry
    done: asyncio.Future[Any]
    """What comes of it is an entry of the same kind."""


class Journal:
    """Commits entries in the order they were handed in, per stream; one writer per event loop."""

    def __init__(self) -> None:
        self._queue: list[_Handed] = []
        self._held: set[tuple[type[Stream], int]] = set()
        """Streams that another transaction holds; what comes for them waits apart and delays no other."""
        self._writing: asyncio.Task[None] | None = None
        self._apart: set[asyncio.Task[None]] = set()
        # Threads of its own, so that replays cannot starve writes, nor a held stream the others.
        self._writer = db.Threads(1, "journal")
        self._waiter = db.Threads(2, "journal-held")
        self._loop = asyncio.get_running_loop()

    def append(self, stream: Stream, entry: AnyEntry) -> asyncio.Future[AnyEntry]:
        """Hand in an entry; the future has the stored entry once it is committed and delivered locally.

        An entry whose sender used its id before gives the first one, with `duplicate` set. The future fails
        with Refused if the entry cannot be stored, and with Unavailable after db.WAIT_SECONDS or when the
        connection is lost: then the outcome is unknown, and the same id may be sent again.
        """
        entry.stream = stream
        done: asyncio.Future[AnyEntry] = self._loop.create_future()
        self._queue.append(_Handed(entry, done))
        timer = self._loop.call_later(db.WAIT_SECONDS, _give_up, done)
        done.add_done_callback(lambda _: timer.cancel())
        self._kick()
        return done

    def _kick(self) -> None:
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        try:
            while batch := self._take():
                by_model: dict[type[Stream], list[_Handed]] = defaultdict(list)
                for each in batch:
                    by_model[type(each.entry.stream)].append(each)
                for model, handed in by_model.items():
                    left = await self._commit(self._writer, model, handed, NO_WAIT)
                    self._set_apart(model, left)
        finally:
            self._writing = None

    def _take(self) -> list[_Handed]:
        """What to commit next: all that is still waited for and whose stream is free, in order."""
        taken: list[_Handed] = []
        kept: list[_Handed] = []
        for each in self._queue:
            if each.done.done():  # told `unavailable` before it was tried
                continue
            stream = each.entry.stream
            free = (type(stream), stream.pk) not in self._held
            (taken if free and len(taken) < BATCH else kept).append(each)
        self._queue = kept
        return taken

    def _set_apart(self, model: type[Stream], handed: list[_Handed]) -> None:
        by_stream: dict[int, list[_Handed]] = defaultdict(list)
        for each in handed:
            by_stream[each.entry.stream_id].append(each)
        for pk, group in by_stream.items():
            self._held.add((model, pk))
            task = asyncio.create_task(self._commit_apart(model, pk, group))
            self._apart.add(task)
            task.add_done_callback(self._apart.discard)

    async def _commit_apart(self, model: type[Stream], pk: int, handed: list[_Handed]) -> None:
        try:
            await self._commit(self._waiter, model, handed, LockWait(allowed=True, seconds=LOCK_SECONDS))
        finally:
            self._held.discard((model, pk))
            self._kick()

    async def _commit(
        self, threads: db.Threads, model: type[Stream], handed: list[_Handed], lock: LockWait
    ) -> list[_Handed]:
        """Commit, deliver, answer. Returns those whose stream another transaction holds."""
        here = current_hub()
        positions = {
            each.entry.stream_id: position
            for each in handed
            if (position := here.position(each.entry.stream.key)) is not None
        }
        entries = [each.entry for each in handed]
        try:
            outcome = await threads.run(commit, model, entries, lock=lock, positions=positions)
        except db.Unavailable as error:
            outcome = Outcome(dict.fromkeys(range(len(handed)), error))
        except Exception as error:
            logger.exception("a commit of %d entries failed", len(entries))
            outcome = Outcome(dict.fromkeys(range(len(handed)), error))
        for batch in outcome.batches:
            here.committed(batch)
        left = []
        for index, each in enumerate(handed):
            result = outcome.results.get(index)
            if result is None:
                left.append(each)
            elif each.done.done():
                continue
            elif isinstance(result, Exception):
                each.done.set_exception(result)
            else:
                each.done.set_result(result)
        return left

    async def close(self) -> None:
        """Finish what is under way and close the threads' connections."""
        tasks = [*self._apart, *([self._writing] if self._writing else [])]
        await asyncio.gather(*tasks, return_exceptions=True)
        for threads in (self._writer, self._waiter):
            await asyncio.to_thread(threads.close)  # Django closes no connection in a thread with a running loop


def _give_up(done: asyncio.Future[Any]) -> None:
    if not done.done():
        done.set_exception(db.Unavailable("the database did not answer in time"))


journals = PerLoop(Journal)
"""Each made with its loop's first entry."""


def current_journal() -> Journal:
    """The journal of the running event loop."""
    return journals.here()


async def close_journal() -> None:
    """Close the running loop's journal, if it has one."""
    found = journals.take()
    if found is not None:
        await found.close()
