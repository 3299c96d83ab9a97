"""This process's one channel on the channel layer: what other processes are told, and tell us.

Nothing here is relied on: a notice that the layer loses is found again by the position check.
"""

import asyncio
import logging
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol, cast

from channels.layers import InMemoryChannelLayer, get_channel_layer

from realtime.processes.notices import Item, Notice, Question, read_notice

WAITING_BYTES = 8 * 1024 * 1024
"""What may wait for the layer; past it notices are dropped, as a lossy layer would."""

JOIN_SECONDS = 1.0
"""How long a socket waits for its group; it goes on without, and the position check covers the rest."""

MAX_DELAY_SECONDS = 5.0

logger = logging.getLogger("chorus.bus")


class Layer(Protocol):
    """The public channel layer API that is used here."""

    async def new_channel(self, prefix: str = ...) -> str: ...
    async def receive(self, channel: str) -> Item: ...
    async def group_add(self, group: str, channel: str) -> None: ...
    async def group_discard(self, group: str, channel: str) -> None: ...
    async def group_send(self, group: str, message: Item) -> None: ...


def layer() -> Layer | None:
    """The default channel layer, unless nobody but this process could hear it."""
    found = get_channel_layer()
    return None if found is None or isinstance(found, InMemoryChannelLayer) else cast("Layer", found)


def envelope(origin: str, group: str, items: list[Item]) -> Item:
    """A message for the layer."""
    return {"type": "chorus.items", "origin": origin, "group": group, "items": items}


async def supervise(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run `work` for as long as the process lives: what fails is logged and started again, later and later."""
    delay = 0.25
    while True:
        started = time.monotonic()
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - a layer or database may raise anything; the hub must outlive it
            if time.monotonic() - started > MAX_DELAY_SECONDS:
                delay = 0.25
            logger.warning("%s stopped (%s: %s), starts again", name, type(error).__name__, error)
        await asyncio.sleep(delay * random.uniform(0.5, 1.5))
        delay = min(delay * 2, MAX_DELAY_SECONDS)


async def gather(group: str, question: Question, seconds: float, *, origin: str = "") -> list[Notice]:
    """Ask all processes in a group but the one that is `origin`, and return what they answer within some seconds.

    Nobody knows how many there are, so it always takes that long. Raises what the layer raises.
    """
    found = layer()
    if found is None:
        return []
    answers: list[Notice] = []
    answer = question.answered_by
    reply = f"chorus.reply.{uuid.uuid4().hex}"
    asked = replace(question, reply=reply, but=origin)
    channel = await found.new_channel()

    async def listen() -> None:
        while True:
            items = (await found.receive(channel))["items"]
            answers.extend(answer.of_item(item) for item in items if item.get("v", 1) == answer.version)

    listening = asyncio.create_task(listen())
    try:
        await found.group_add(reply, channel)
        await found.group_send(group, envelope("", group, [asked.to_item()]))
        await asyncio.sleep(seconds)
    finally:
        listening.cancel()  # which also gives the channel back
        await asyncio.gather(listening, return_exceptions=True)
        await found.group_discard(reply, channel)
    return answers


class Bus:
    """Tells groups and is told. `on_notice` gets what other processes let a group know, in the order each sent it.

    It gets None in place of a notice that is not known here.
    """

    def __init__(self, on_notice: Callable[[str, Notice | None], None]) -> None:
        self.origin = uuid.uuid4().hex
        self.failing = False
        """True while the layer cannot be told anything."""
        self._on_notice = on_notice
        self._layer = layer()
        self._channel: str | None = None
        self._wanted: dict[str, asyncio.Event] = {}
        self._joined: set[str] = set()
        self._changed = asyncio.Event()
        self._unsent: dict[str, list[Item]] = {}
        self._unsent_bytes = 0
        self._filled = asyncio.Event()
        self._tasks = (
            [
                asyncio.create_task(supervise("receiving from the layer", self._receive)),
                asyncio.create_task(supervise("group membership", self._keep_membership)),
                asyncio.create_task(supervise("publishing to the layer", self._publish)),
            ]
            if self._layer
            else []
        )

    async def join(self, group: str) -> None:
        """Hear a group from now on; waits until the layer knows, at most JOIN_SECONDS."""
        if self._layer is None:
            return
        joined = self._wanted.setdefault(group, asyncio.Event())
        self._changed.set()
        if not joined.is_set():
            waiter = asyncio.ensure_future(joined.wait())
            await asyncio.wait({waiter}, timeout=JOIN_SECONDS)
            waiter.cancel()

    def leave(self, group: str) -> None:
        """Hear a group no more."""
        self._wanted.pop(group, None)
        self._changed.set()

    def send(self, group: str, notice: Notice) -> None:
        """Let a group in the other processes know, soon."""
        if self._layer is None or self._unsent_bytes > WAITING_BYTES:
            return
        self._unsent.setdefault(group, []).append(notice.to_item())
        self._unsent_bytes += notice.size
        self._filled.set()

    async def close(self) -> None:
        """Stop; for tests and for loops that end before their process."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _receive(self) -> None:
        assert self._layer is not None
        # Never cancelled but at the end: cancelling receive() unregisters a pub/sub channel.
        self._joined.clear()
        self._channel = await self._layer.new_channel()
        self._changed.set()
        while True:
            message = await self._layer.receive(self._channel)
            if message.get("type") == "chorus.items" and message.get("origin") != self.origin:
                for item in message["items"]:
                    self._take(message["group"], item)

    def _take(self, group: str, item: Item) -> None:
        try:
            self._on_notice(group, read_notice(item))
        except Exception:
            logger.exception("a notice from another process was not understood")

    async def _keep_membership(self) -> None:
        assert self._layer is not None
        self._changed.set()
        while True:
            await self._changed.wait()
            self._changed.clear()
            if (channel := self._channel) is None:
                continue
            await self._join_wanted(self._layer, channel)
            for group in self._joined - self._wanted.keys():
                if group not in self._wanted:
                    self._joined.discard(group)  # first: who comes back meanwhile has to be added again
                    await self._layer.group_discard(group, channel)

    async def _join_wanted(self, layer: Layer, channel: str) -> None:
        for group in list(self._wanted):
            if group not in self._joined:
                await layer.group_add(group, channel)
                if channel is not self._channel:  # a new one, which hears nothing yet
                    break
                self._joined.add(group)
            if joined := self._wanted.get(group):
                joined.set()

    async def _publish(self) -> None:
        assert self._layer is not None
        while True:
            await self._filled.wait()
            self._filled.clear()
            # What arrives while this is under way waits, and goes together next time.
            batch, self._unsent, self._unsent_bytes = self._unsent, {}, 0
            for group, items in batch.items():
                try:
                    await self._layer.group_send(group, envelope(self.origin, group, items))
                except Exception:
                    self.failing = True
                    raise
            if self.failing:
                self.failing = False
                logger.warning("the channel layer can be told again")
