"""The hub: one per process and event loop; it knows which local sockets are in which group.

The groups below are the one register of local sockets; other processes are reached through the bus.
"""

import asyncio
import logging
import random
import weakref
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import async_to_sync
from django.apps import apps
from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import RedisError

from realtime import db
from realtime.conf import conf
from realtime.connections.report import ROW_BYTES, Wanted, report
from realtime.connections.review import Review
from realtime.hub.live import REPAIRS_AT_ONCE, LiveStream
from realtime.hub.outbox import Frame
from realtime.hub.subscription import Subscription, Unstored, push_unstored
from realtime.limits import Connections, Throttle
from realtime.processes.bus import Bus, Item, envelope, gather, layer, supervise
from realtime.processes.presence import Presence, RedisStore
from realtime.protocol import CloseCode, Event
from realtime.streams.batch import Batch

CHECK_SECONDS = 5.0
"""A lost hint is found after this long, or after a second while the layer cannot be told anything."""

CONTROL = "chorus.control"
"""The group of all processes: what changed that open sockets must learn of."""

logger = logging.getLogger("chorus.hub")


def group_of(key: str) -> str:
    """The layer group of a stream: its key, in the characters a group name may have."""
    return key.replace(":", ".")


def redis_client() -> "Redis | None":
    """A client for what the layer has no words for (leases that expire), where this site has a Redis."""
    url = getattr(settings, "REDIS_URL", "")
    found = "://" in url and not url.startswith("memory:")
    return Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) if found else None


class Hub:
    """Carries events to local sockets, whether they were born here, elsewhere, or only in the database."""

    def __init__(self) -> None:
        self.bus = Bus(self._on_items)
        self.presence = Presence(self._store(), self._tell_presence)
        self.sockets = Connections()
        self.throttle = Throttle()
        self.review = Review()
        self._kept: set[str] = set()
        self._unsent: dict[str, list[Unstored]] = {}
        self._groups: dict[str, set[Subscription]] = {}
        self._streams: dict[str, LiveStream] = {}
        self._repairs = asyncio.Semaphore(REPAIRS_AT_ONCE)
        self._loop = asyncio.get_running_loop()
        self._tasks = [
            asyncio.create_task(supervise("position check", self._check_forever)),
            asyncio.create_task(supervise("review of rights", self.review.now_and_then)),
            asyncio.create_task(self.bus.join(CONTROL)),
        ]
        if conf.prune_interval:
            from realtime.streams.retention import (
                prune_now_and_then,  # late: it knows streams, and streams know the hub
            )

            self.keep_running("pruning", prune_now_and_then)
        if self._redis is not None:
            self._tasks.append(asyncio.create_task(supervise("presence lease", self.presence.keep_lease)))

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
        self.bus.send(group, {"t": "event", "kind": kind, "data": data, "but_key": but_key}, len(data))

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

    # Stored events.

    async def stream(self, key: str, subscription: Subscription) -> LiveStream:
        """Put a socket into a stream's group; it gets entries once LiveStream.catch_up is through."""
        group = group_of(key)
        label, _, pk = key.partition(":")
        live = self._streams.get(group)
        if live is None:
            model: Any = apps.get_model(label)
            live = self._streams[group] = LiveStream(
                model, int(pk), self._groups.setdefault(group, set()), self._repairs
            )
        # The group is heard before the stream is read, so what commits in between is not missed.
        await self.join(group, subscription)
        return live

    def committed(self, batch: Batch) -> None:
        """Deliver what this process just committed, at once, and tell the others."""
        group = group_of(batch.key)
        if live := self._streams.get(group):
            live.offer(batch)
        hint = batch.to_hint()
        self.bus.send(group, {"t": "batch", **hint}, sum(len(event.text) for event in batch.events))

    def position(self, key: str) -> tuple[str, int] | None:
        """The epoch and how far in it this process has delivered a stream; None if nobody here listens to it."""
        live = self._streams.get(group_of(key))
        return (live.epoch, live.position) if live and live.position is not None else None

    # What other processes say.

    def control(self, item: Item) -> None:
        """Do what synchronous code of this process asks of all, and pass it on."""
        self._obey(item)
        self.bus.send(CONTROL, item)

    def _obey(self, item: Item) -> None:
        if item["t"] == "review":
            self.review.ask(item["users"], item["streams"], everyone=item["everyone"])
        elif item["t"] == "kick":
            for socket in [socket for socket in self.review.sockets if socket.matches(item["matches"])]:
                socket.end(CloseCode(item["code"]), item["reason"])
        elif item["t"] == "who" and item["but"] != self.bus.origin:
            answer = self.who(item)
            self.bus.send(item["reply"], answer, ROW_BYTES * len(answer["rows"]))

    def who(self, item: Item) -> Item:
        """What this process says of its open sockets; see realtime.connections.control.who."""
        return report(self.review.sockets, Wanted(item["matches"], item["text"]))

    def _on_items(self, group: str, items: list[Item]) -> None:
        for item in items:
            if group == CONTROL:
                self._obey(item)
            elif item["t"] == "event":
                self.push(group, item["kind"], item["data"], but_key=item["but_key"])
            elif item["t"] == "presence":
                self._spawn(self.presence.refresh(group))
            elif live := self._streams.get(group):
                batch = Batch.from_hint(item)
                if batch is None:
                    live.repair()
                else:
                    live.offer(batch)

    def _tell_presence(self, group: str) -> None:
        self.bus.send(group, {"t": "presence"})

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.ensure_future(coroutine)
        self._tasks.append(task)
        task.add_done_callback(self._tasks.remove)

    async def _check_forever(self) -> None:
        while True:
            await asyncio.sleep((1.0 if self.bus.failing else CHECK_SECONDS) * random.uniform(0.8, 1.2))
            await self.check()

    async def check(self) -> None:
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


_hubs: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = weakref.WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop, made with its first socket (Daphne has no start-up event)."""
    loop = asyncio.get_running_loop()
    found = _hubs.get(loop)
    if found is None:
        found = _hubs[loop] = Hub()
    return found


def connection_count() -> int:
    """Sockets open in this process."""
    return sum(found.sockets.total for found in _hubs.values())


async def close_hub() -> None:
    """Close the running loop's hub, if it has one."""
    found = _hubs.pop(asyncio.get_running_loop(), None)
    if found is not None:
        await found.close()


def listeners(group: str) -> int:
    """How many sockets are in a group now, in all processes; for synchronous code in a server's threads."""
    for loop, found in _hubs.items():
        if loop.is_running():
            return asyncio.run_coroutine_threadsafe(found.presence.count(group), loop).result(2)
    return async_to_sync(_listeners_elsewhere)(group)


async def _listeners_elsewhere(group: str) -> int:
    """For a process that has had no socket yet: what the others say of themselves."""
    client = redis_client()
    if client is None:
        return 0
    async with client:
        shares = await RedisStore(client, conf.namespace, "").read(group)
    return sum(share.connections for share in shares.values())


def announce(batch: Batch) -> None:
    """Tell of entries that have committed, from synchronous code in any thread.

    In a server its hub takes it from here; elsewhere (a shell, a task queue) the layer is told, best effort,
    for a second. Whatever gets lost is found by the position checks.
    """
    item = {"t": "batch", **batch.to_hint()}
    _tell_hubs(lambda each: each.committed(batch), group_of(batch.key), item)


def tell_control(item: Item) -> None:
    """Have every process do what a control message asks, from synchronous code in any thread; best effort."""
    _tell_hubs(lambda each: each.control(item), CONTROL, item)


def ask_control(item: Item, seconds: float) -> tuple[list[Item], bool]:
    """What every process answers within some seconds, from synchronous code in any thread.

    The second is False where other processes could not be asked.
    """
    for loop, found in _hubs.items():
        if loop.is_running():
            return asyncio.run_coroutine_threadsafe(_ask(found, item, seconds), loop).result(seconds + 5)
    return async_to_sync(_ask)(None, item, seconds)


async def _ask(here: Hub | None, item: Item, seconds: float) -> tuple[list[Item], bool]:
    own = [report((), Wanted()) if here is None else here.who(item)]
    try:
        async with asyncio.timeout(seconds + 1):
            others = await gather(CONTROL, {**item, "but": here.bus.origin if here else ""}, seconds)
    except (TimeoutError, OSError, RedisError) as error:
        logger.warning("other processes could not be asked (%s)", type(error).__name__)
        return own, False
    return own + others, True


def _tell_hubs(tell: Callable[[Hub], None], group: str, item: Item) -> None:
    found = [(loop, each) for loop, each in _hubs.items() if loop.is_running()]
    for loop, each in found:
        loop.call_soon_threadsafe(tell, each)
    if not found and layer() is not None:
        async_to_sync(_tell_layer)(group, item)


async def _tell_layer(group: str, item: Item) -> None:
    found = layer()
    assert found is not None
    try:
        await asyncio.wait_for(found.group_send(group, envelope("", group, [item])), 1.0)
    except (TimeoutError, OSError, RedisError) as error:
        logger.warning("the channel layer was not told of %s (%s)", group, type(error).__name__)
