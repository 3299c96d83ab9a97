"""Sockets of this process without their consumers: what a hub's streams bring them."""

import json
from collections.abc import Callable
from typing import Any

from chat.models import Message, Room
from realtime import db
from realtime.access import Identity
from realtime.hub.hub import Hub
from realtime.hub.live import LiveStream, Start
from realtime.hub.outbox import Burst, Frame
from realtime.hub.subscription import Subscription
from realtime.streams.batch import Batch
from realtime.streams.commit import commit

ALICE = Identity("user:1", "alice")


class Listener:
    """A socket in a room that keeps every stored entry it gets, in the order it gets them."""

    def __init__(self, hub: Hub, room: Room) -> None:
        self.hub = hub
        self.room = room
        self.events: list[dict[str, Any]] = []
        self.starts: list[Start] = []
        self.resets = 0
        self.gone = 0
        self.stream: LiveStream
        self.subscription = Place(self)

    def offer(self, frame: Frame | Burst) -> bool:
        """Take what comes."""
        self.events += [json.loads(each.data) for each in frame.frames]
        return True

    def overflow(self) -> None:
        """Never: there is always room."""

    async def join(self, since: int | None = None, epoch: str | None = None) -> Start:
        """Do what a consumer does to join."""
        self.stream = await self.hub.stream(self.room.key, self.subscription)
        return await self.go_on(since, epoch)

    async def go_on(self, since: int | None = None, epoch: str | None = None) -> Start:
        """Be brought up to date and go live."""
        start = await self.stream.locate(since, epoch)
        self.starts.append(start)
        self.events += [json.loads(stored.text) for stored in start.events]
        async for missed in self.stream.catch_up(self.subscription, start.seq):
            self.events += [json.loads(stored.text) for stored in missed]
        return start

    def leave(self) -> None:
        """Go away."""
        self.hub.leave(self.stream_group, self.subscription)

    @property
    def stream_group(self) -> str:
        """The group that it is in."""
        return self.room.key.replace(":", ".")

    @property
    def seqs(self) -> list[int]:
        """The positions of all that it got."""
        return [event["seq"] for event in self.events]


class Place(Subscription):
    """A listener's place in its room, which counts what it is told."""

    def __init__(self, listener: Listener) -> None:
        super().__init__(listener)
        self.listener = listener

    def reset(self) -> None:
        self.listener.resets += 1

    def gone(self) -> None:
        self.listener.gone += 1


async def listen(hub: Hub, room: Room) -> Listener:
    """A socket that is live in a room."""
    listener = Listener(hub, room)
    await listener.join()
    return listener


async def write(room: Room, *texts: str) -> Batch:
    """Store messages as another process does whose hint is lost; gives what it would have told."""
    return await store(room, lambda: [Message.saying(ALICE, text, None) for text in texts])


async def delete(room: Room, target: int) -> Batch:
    """Delete a message as another process does whose hint is lost."""
    return await store(room, lambda: [Message.deleting(ALICE, target, None)])


async def store(room: Room, make: Callable[[], list[Message]]) -> Batch:
    """Store entries without telling anybody."""

    def work() -> Batch:
        entries = make()
        for entry in entries:
            entry.stream = room
        outcome = commit(Room, entries)
        [batch] = outcome.batches
        return batch

    return await db.run(work)
