"""The chat room's socket: parse, call a verb, reply."""

from datetime import UTC, datetime
from typing import Any

from chat import events
from chat.models import Message, Room
from realtime import db
from realtime.consumers import StreamConsumer, command
from realtime.hub import Frame, Hub, Start, current_journal
from realtime.processes import NAMES, PresenceChange
from realtime.protocol import Event, validate
from realtime.streams import Stored, newest, pages, with_entries

TYPING_SECONDS = 2.0
LINE_BY_LINE = frozenset({"chat", "system"})
"""What a client with `?plain=1` gets."""


class ChatConsumer(StreamConsumer):
    """`/ws/chat/<room>/`: everyone in a room reads what is said there, in one order."""

    __slots__ = ()

    model = Room

    async def opened(self) -> None:
        """Join the room."""
        self.kinds = LINE_BY_LINE if self.query.get("plain") == "1" else None
        await super().opened()

    def stream_name(self) -> str:
        """The room's."""
        name: str = self.scope["url_route"]["kwargs"]["room"]
        return name

    def begin(self, start: Start) -> list[Stored]:
        """Say where the room is; line by line, only what was asked for."""
        if self.kinds is not None:
            return start.events if "since" in self.query else []
        first = next(pages(start.events))
        joined = events.Joined(
            room=self.stream.name,
            you=self.identity.name,
            seq=start.seq,
            epoch=start.epoch,
            recovered=start.recovered,
            more=start.more,
            users=self.hub.presence.users(self.group),
            messages=[],
        )
        self.push(Frame(with_entries(joined, first)))
        return start.events[len(first) :]

    async def replay(self, entries: list[Stored]) -> None:
        """Send entries that were missed, many in a frame."""
        if self.kinds is None:
            await self.reply(with_entries(events.Replay(messages=[]), entries))
        else:
            await super().replay(entries)

    async def on_other_text(self, text: str) -> None:
        """A bare text is a message."""
        await self.send_message(validate(events.Send, {"text": text}))

    @command(events.Send)
    async def send_message(self, said: events.Send) -> None:
        """Say something; everyone's `chat` event is the sender's acknowledgement."""
        await self.require("write")
        message = Message.saying(self.identity, said.text, said.id)
        await self.answer_later(current_journal().append(self.stream, message), said.id, repeated)

    @command(events.Delete)
    async def delete_message(self, delete: events.Delete) -> None:
        """Delete a message."""
        await self.require("write")
        deletion = await db.run(Message.deleting, self.identity, delete.seq, delete.id)
        await self.answer_later(current_journal().append(self.stream, deletion), delete.id, repeated)

    @command(events.Typing)
    async def tell_typing(self, _: events.Typing) -> None:
        """Tell the others that somebody writes."""
        await self.require("write")
        if self.hub.throttle.passes(f"typing {self.group} {self.identity.key}", TYPING_SECONDS):
            event = events.TypingEvent(sender=self.identity.name)
            self.hub.publish(self.group, event, but_key=self.identity.key)

    @command(events.History)
    async def tell_history(self, asked: events.History) -> None:
        """Send older entries."""
        await self.require("read")
        found, more = await db.run(self.stream.history, before=asked.before, limit=asked.limit)
        entries = newest(found)
        event = events.HistoryEvent(more=more or len(entries) < len(found), id=asked.id, messages=[])
        await self.reply(with_entries(event, entries))

    @staticmethod
    def tell_presence(hub: Hub, group: str, change: PresenceChange) -> None:
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


def repeated(message: Any) -> Event | None:
    """The answer to an appended entry: none, since the room's event is one, unless its id was used before."""
    if not message.duplicate:
        return None
    event: Event = message.as_event()
    return event.model_copy(update={"id": message.client_id, "duplicate": True})
