"""The chat room's socket: parse, call a verb, reply."""

from datetime import UTC, datetime

from chat import events
from chat.models import Message, Room
from realtime.consumers import HistoryConsumer, command
from realtime.hub import Hub
from realtime.processes import NAMES, Here, PresenceChange
from realtime.protocol import validate

TYPING_SECONDS = 2.0
LINE_BY_LINE = frozenset({"chat", "system"})
"""What a client with `?plain=1` gets."""


class ChatConsumer(HistoryConsumer):
    """`/ws/chat/<room>/`: everyone in a room reads what is said there, in one order."""

    __slots__ = ()

    model = Room
    joined = events.Joined

    async def opened(self) -> None:
        """Join the room."""
        self.kinds = LINE_BY_LINE if self.query.get("plain") == "1" else None
        await super().opened()

    async def on_other_text(self, text: str) -> None:
        """A bare text is a message."""
        await self.send_message(validate(events.Send, {"text": text}))

    @command(events.Send)
    async def send_message(self, said: events.Send) -> None:
        """Say something; everyone's `chat` event is the sender's acknowledgement."""
        await self.require("write")  # before anything is said of the text
        await self.store(Message.saying(self.identity, said.text, said.id))

    @command(events.Typing)
    async def tell_typing(self, _: events.Typing) -> None:
        """Tell the others that somebody writes."""
        await self.require("write")
        if self.hub.throttle.passes(f"typing {self.group} {self.identity.key}", TYPING_SECONDS):
            event = events.TypingEvent(sender=self.identity.name, sender_id=self.identity.sender_id)
            self.hub.publish(self.group, event, but_key=self.identity.key)

    @staticmethod
    def tell_presence(hub: Hub, group: str, change: PresenceChange) -> None:
        """Tell a room's local sockets who came and went; in a crowd, how many."""
        for event, verb, people in (("join", "joined", change.joined), ("leave", "left", change.left)):
            crowd = len(people) > 1 and change.users.count > NAMES
            told = [Here("", f"{len(people)} people")] if crowd else people
            for key, name, sender_id in told:
                system = events.SystemEvent.model_validate(
                    {
                        "event": event,
                        "message": f"{name} {verb} the chat",
                        "name": None if crowd else name,
                        "people": len(people) if crowd else None,
                        "sender_id": sender_id or None,
                        "timestamp": datetime.now(UTC),
                        "users": {"count": change.users.count},
                    }
                )
                hub.push(group, "system", system.encode(), but_key=key)
        for here, was in change.renamed:
            now = {"sender_id": here.id or None, "name": here.name, "was": was, "timestamp": datetime.now(UTC)}
            hub.push(group, "renamed", events.RenamedEvent.model_validate(now).encode())
