"""The chat room's socket: parse, call a verb, reply."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from chat import events
from chat.models import Message, Room
from realtime import access, db
from realtime.batch import Stored
from realtime.consumers import JsonConsumer, command
from realtime.fanout import Hub, group_of
from realtime.journal import journal
from realtime.live import LiveStream, Start
from realtime.outbox import Frame
from realtime.presence import NAMES, Change
from realtime.protocol import CloseCode, Event, Refused, validate
from realtime.replay import newest, pages, with_entries
from realtime.subscription import Subscription

TYPING_SECONDS = 2.0
LINE_BY_LINE = frozenset({"chat", "system"})
"""What a client with `?plain=1` gets."""


class ChatConsumer(JsonConsumer):
    """`/ws/chat/<room>/`: everyone in a room reads what is said there, in one order."""

    room: Room
    stream: LiveStream

    def __init__(self) -> None:
        super().__init__()
        self.group = ""
        self.subscription: Subscription | None = None
        self.present_as = ""
        """The identity key under which this socket counts as present."""
        self.joins = 0
        """How often it has joined: after a reset or a login it joins anew, and an earlier join ends there."""

    async def opened(self) -> None:
        """Join the room, with what was missed if the client says where it was."""
        self.room = await db.run(Room.objects.open, self.scope["url_route"]["kwargs"]["room"], self.identity)
        access.check(self.identity, "read", self.room)
        since = self._since()
        self.group = group_of(self.room.key)
        self.subscription = Subscription(
            self.push,
            key=self.identity.key,
            kinds=LINE_BY_LINE if self.query.get("plain") == "1" else None,
            opened=False,
            on_reset=lambda: self.spawn(self._join(None, None)),
            on_gone=lambda: self.end(CloseCode.NO_SUCH_STREAM, "the room was deleted"),
        )
        self.stream = await self.hub.stream(self.room.key, self.subscription)
        await self._join(since, self.query.get("epoch"))

    def _since(self) -> int | None:
        given = self.query.get("since")
        if given is None:
            return None
        if not given.isascii() or not given.isdigit() or len(given) > 18:
            message = "since: expected the seq of the last message you have"
            raise Refused("invalid", message, fields={"since": message}, close=CloseCode.POLICY)
        return int(given)

    async def _join(self, since: int | None, epoch: str | None) -> None:
        """Say where the room is, replay what the client lacks, then let it live."""
        assert self.subscription is not None
        self.joins += 1
        this = self.joins
        self.subscription.live = False
        start = await self.stream.start(since, epoch)
        await self._enter()
        if this != self.joins:
            return
        rest = self._tell_joined(start, resumes=since is not None)
        self.subscription.open = True
        for page in rest:
            await self._replay(page, this)
        if this != self.joins:
            return
        async for missed in self.stream.catch_up(self.subscription, start.seq):
            for page in pages(missed):
                await self._replay(page, this)
            if this != self.joins:
                return

    def _tell_joined(self, start: Start, *, resumes: bool) -> list[list[Stored]]:
        """Send `joined` with what fits into it; returns the pages that are left."""
        assert self.subscription is not None
        first, *rest = pages(start.events)
        if self.subscription.kinds is not None:  # line by line: there is no `joined`, and nothing unasked
            return [first, *rest] if resumes else []
        joined = events.Joined(
            room=self.room.name,
            you=self.identity.name,
            seq=start.seq,
            epoch=start.epoch,
            recovered=start.recovered,
            more=start.more,
            users=self.hub.presence.users(self.group),
            messages=[],
        )
        self.push(Frame(with_entries(joined, first)))
        return rest

    async def _replay(self, entries: list[Stored], join: int) -> None:
        assert self.subscription is not None
        if join != self.joins:
            return
        if self.subscription.kinds is None:
            await self.reply(with_entries(events.Replay(messages=[]), entries))
            return
        for entry in entries:
            if entry.kind in self.subscription.kinds:
                await self.reply(entry.text)

    async def _enter(self) -> None:
        if self.present_as == self.identity.key:
            return
        await self.hub.presence.open(self.group, partial(announce, self.hub, self.group))
        if self.present_as:
            self.hub.presence.leave(self.group, self.present_as)
        self.present_as = self.identity.key
        self.hub.presence.enter(self.group, self.present_as, self.identity.name)

    async def identified(self) -> None:
        """Be present under the new name, from here on."""
        assert self.subscription is not None
        access.check(self.identity, "read", self.room)
        self.subscription.key = self.identity.key
        # Who is live has everything up to the stream's position; who is still joining begins again.
        since = self.stream.position if self.subscription.live else None
        await self._join(since, self.stream.epoch)

    def closed(self) -> None:
        """Leave the room."""
        if self.subscription is not None:
            self.hub.leave(self.group, self.subscription)
        if self.present_as:
            self.hub.presence.leave(self.group, self.present_as)

    async def on_other_text(self, text: str) -> None:
        """A bare text is a message."""
        await self.send_message(validate(events.Send, {"text": text}))

    @command(events.Send)
    async def send_message(self, said: events.Send) -> None:
        """Say something; everyone's `chat` event is the sender's acknowledgement."""
        access.check(self.identity, "write", self.room)
        message = Message.saying(self.identity, said.text, said.id)
        await self.answer_later(journal().append(self.room, message), said.id, repeated)

    @command(events.Delete)
    async def delete_message(self, delete: events.Delete) -> None:
        """Delete a message."""
        access.check(self.identity, "write", self.room)
        deletion = await db.run(Message.deleting, self.identity, delete.seq, delete.id)
        await self.answer_later(journal().append(self.room, deletion), delete.id, repeated)

    @command(events.Typing)
    async def tell_typing(self, _: events.Typing) -> None:
        """Tell the others that somebody writes."""
        access.check(self.identity, "write", self.room)
        if self.hub.throttle.passes(f"typing {self.group} {self.identity.key}", TYPING_SECONDS):
            event = events.TypingEvent(sender=self.identity.name)
            self.hub.publish(self.group, event, but_key=self.identity.key)

    @command(events.History)
    async def tell_history(self, asked: events.History) -> None:
        """Send older entries."""
        access.check(self.identity, "read", self.room)
        found, more = await db.run(self.room.history, before=asked.before, limit=asked.limit)
        entries = newest(found)
        event = events.HistoryEvent(more=more or len(entries) < len(found), id=asked.id, messages=[])
        await self.reply(with_entries(event, entries))


def repeated(message: Any) -> Event | None:
    """The answer to an appended entry: none, since the room's event is one, unless its id was used before."""
    if not message.duplicate:
        return None
    event: Event = message.as_event()
    return event.model_copy(update={"id": message.client_id, "duplicate": True})


def announce(hub: Hub, group: str, change: Change) -> None:
    """Tell a room's local sockets who came and went; in a crowd, how many."""
    for event, verb, people in (("join", "joined", change.joined), ("leave", "left", change.left)):
        crowd = len(people) > 1 and change.users.count > NAMES
        told = [("", f"{len(people)} people")] if crowd else people
        for key, name in told:
            system = events.SystemEvent.model_validate(
                {
                    "event": event,
                    "message": f"{name} {verb} the chat",
                    "name": name if key else None,
                    "timestamp": datetime.now(UTC),
                    "users": {"count": change.users.count},
                }
            )
            hub.push(group, "system", system.encode(), but_key=key)
