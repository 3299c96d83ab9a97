"""The hub: one per process and event loop; it knows which local sockets are in which group.

The groups below are the one register of who listens to what here; other processes are reached through the bus.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from realtime import db
from realtime.conf import conf
from realtime.connections.control import CONTROL, Who, obey
from realtime.connections.open import OpenSockets
from realtime.connections.report import Report
from realtime.connections.review import Review
from realtime.hub.live import REPAIRS_AT_ONCE, LiveStream
from realtime.hub.outbox import Frame
from realtime.hub.subscription import Subscription, Unstored, UnstoredEvent, push_unstored
from realtime.limits import Throttle
from realtime.per_loop import PerLoop
from realtime.processes import reach
from realtime.processes.bus import Bus, supervise
from realtime.processes.notices import Notice, Question
from realtime.processes.presence import Presence, ShareWritten
from realtime.processes.shares import RedisStore, redis_client
from realtime.protocol import Event
from realtime.rates import SOCKETS_PER_COST
from realtime.streams.batch import Batch
from realtime.streams.key import group_of
from realtime.streams.kinds import kind_and_pk
from realtime.streams.retention import prune_now_and_then

CHECK_SECONDS = 5.0
"""A lost hint is found after this long, or after a second while the layer cannot be told anything."""


class Hub:
    """Carries events to local sockets, whether they were born here, elsewhere, or only in the database."""

    def __init__(self) -> None:
        self.bus = Bus(self._on_notice)
        self.presence = Presence(self._store(), self._tell_presence)
        self.sockets = OpenSockets()
        self.review = Review(self.sockets)
        self.throttle = Throttle()
        self._kept: set[str] = set()
        self._unsent: dict[str, list[Unstored]] = {}
        self._groups: dict[str, set[Subscription]] = {}
        self._streams: dict[str, LiveStream] = {}
        self._repairs = asyncio.Semaphore(REPAIRS_AT_ONCE)
        self._loop = asyncio.get_running_loop()
        self._tasks = [asyncio.create_task(self.bus.join(CONTROL))]
        self.keep_running("position check", self._check_forever)
        self.keep_running("review of rights", self.review.now_and_then)
        if conf.prune_interval:
            self.keep_running("pruning", prune_now_and_then)
        if self._redis is not None:
            self.keep_running("presence lease", self.presence.keep_lease)

    def _store(self) -> RedisStore | None:
        self._redis = redis_client()
        return RedisStore(self._redis, conf.namespace, self.bus.origin) if self._redis else None

    def keep_running(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work` in the background for as long as this hub lives; once, however often it is asked."""
        if name not in self._kept:
            self._kept.add(name)
            self._tasks.append(asyncio.create_task(supervise(name, work)))

    # Unstored events.

    async def join(self, group: str, subscription: Subscription) -> None:
        """Put a socket into a group."""
        members = self._groups.setdefault(group, set())
        members.add(subscription)
        await self.bus.join(group)

    def leave(self, group: str, subscription: Subscription) -> None:
        """Take a socket out of a group; harmless if it is not in it."""
        members = self._groups.get(group)
        if members is None or subscription not in members:
            return
        members.discard(subscription)
        if not members:
            del self._groups[group]
            self.bus.leave(group)
            if live := self._streams.pop(group, None):
                live.close()

    def publish(
        self, group: str, event: Event | str | bytes, *, but: Subscription | None = None, but_key: str = ""
    ) -> None:
        """Send an unstored event to a group in every process, except one local socket or one identity."""
        kind, data = (event.type, event.encode()) if isinstance(event, Event) else ("", event)
        self.push(group, kind, data, but=but, but_key=but_key)
        self.bus.send(group, UnstoredEvent(kind, data, but_key))

    def push(
        self, group: str, kind: str, data: str | bytes, *, but: Subscription | None = None, but_key: str = ""
    ) -> None:
        """Send an unstored event to the group's local sockets only, with whatever else comes in this turn."""
        if group not in self._groups:
            return
        if not self._unsent:
            self._loop.call_soon(self._send_all)
        self._unsent.setdefault(group, []).append(Unstored(Frame(data), kind, but, but_key))

    def _send_all(self) -> None:
        unsent, self._unsent = self._unsent, {}
        for group, events in unsent.items():
            push_unstored(self._groups.get(group, ()), events)

    def cost_of(self, group: str) -> int:
        """What telling a whole group costs, in commands, beyond the one that asks for it: see realtime.rates."""
        return len(self._groups.get(group, ())) // SOCKETS_PER_COST

    # Stored events.

    async def stream(self, key: str, subscription: Subscription) -> LiveStream:
        """Put a socket into a stream's group; it gets entries once LiveStream.catch_up is through."""
        group = group_of(key)
        live = self._streams.get(group)
        if live is None:
            kind, pk = kind_and_pk(key)
            subscribers = self._groups.setdefault(group, set())
            live = self._streams[group] = LiveStream(kind, pk, subscribers, self._repairs)
        # The group is heard before the stream is read, so what commits in between is not missed.
        await self.join(group, subscription)
        return live

    def committed(self, batch: Batch) -> None:
        """Deliver what this process just committed, at once, and tell the others."""
        self.tell(group_of(batch.key), batch)

    def position(self, key: str) -> tuple[str, int] | None:
        """The epoch and how far in it this process has delivered a stream; None if nobody here listens to it."""
        live = self._streams.get(group_of(key))
        return (live.epoch, live.position) if live and live.position is not None else None

    # What processes let one another know.

    @property
    def origin(self) -> str:
        """Names this process in what it sends."""
        return self.bus.origin

    def tell(self, group: str, notice: Notice) -> None:
        """Do what a notice says to the sockets here, and pass it on to the other processes."""
        self._take(group, notice)
        self.bus.send(group, notice)

    def answer(self, question: Question) -> Notice:
        """What this process says to a question: who is connected to it."""
        assert isinstance(question, Who)
        return Report.of(self.sockets, question.wanted)

    async def listeners(self, group: str) -> int:
        """How many sockets are in a group now, in all processes."""
        return await self.presence.count(group)

    def _on_notice(self, group: str, notice: Notice | None) -> None:
        """Take what another process says; None is what is not known here."""
        if isinstance(notice, Question):
            if notice.but != self.origin:
                self.bus.send(notice.reply, self.answer(notice))
        else:
            self._take(group, notice)

    def _take(self, group: str, notice: Notice | None) -> None:
        match notice:
            case Batch():
                if live := self._streams.get(group):
                    live.offer(notice)
            case UnstoredEvent(kind, data, but_key):
                self.push(group, kind, data, but_key=but_key)
            case ShareWritten():
                self._spawn(self.presence.refresh(group))
            case _ if group == CONTROL:
                obey(notice, self.sockets, self.review)
            case _:
                if live := self._streams.get(group):
                    live.repair()  # whatever it was, the database knows

    def _tell_presence(self, group: str) -> None:
        self.bus.send(group, ShareWritten())

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.ensure_future(coroutine)
        self._tasks.append(task)
        task.add_done_callback(self._tasks.remove)

    async def _check_forever(self) -> None:
        while True:
            await asyncio.sleep((1.0 if self.bus.failing else CHECK_SECONDS) * random.uniform(0.8, 1.2))
            await self.check_positions()

    async def check_positions(self) -> None:
        """Compare every active stream's position with the database: one query for each model."""
        by_model: dict[Any, list[LiveStream]] = defaultdict(list)
        for live in self._streams.values():
            if live.position is not None:
                by_model[live.model].append(live)
        for model, lives in by_model.items():
            try:
                heads = await db.run(model.heads, [live.pk for live in lives])
            except db.Unavailable:
                continue
            for live in lives:
                live.compare(heads.get(live.pk))

    async def close(self) -> None:
        """Stop; for tests and for loops that end before their process."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for live in self._streams.values():
            live.close()
        await self.review.close()
        await self.presence.close()
        await self.bus.close()
        if self._redis is not None:
            await self._redis.aclose()


hubs = PerLoop(Hub)
"""Each made with its loop's first socket: Daphne has no start-up event."""
reach.serve_by(hubs)


def current_hub() -> Hub:
    """The hub of the running event loop."""
    return hubs.here()


def connection_count() -> int:
    """Sockets open in this process."""
    return sum(found.sockets.total for _, found in hubs.running())


async def close_hub() -> None:
    """Close the running loop's hub, if it has one."""
    found = hubs.take()
    if found is not None:
        await found.close()
