"""What is said in a chat room: one typed model for each command and event."""

from typing import Literal

from realtime import history_events
from realtime.protocol import Command, Event, Sequence, Timestamp, Users
from realtime.texts import LongText

# From the client.


class Send(Command):
    """Say something. The `chat` event with this id is the acknowledgement."""

    action: Literal["send"] = "send"
    text: LongText


class Typing(Command):
    """Tell the others that one is writing."""

    action: Literal["typing"] = "typing"


# To the client.


class ChatEvent(Event):
    """Somebody said something."""

    type: Literal["chat"] = "chat"
    seq: Sequence
    sender: str
    sender_id: str | None = None
    message: str
    timestamp: Timestamp
    id: str | None = None
    duplicate: Literal[True] | None = None
    """In the answer to a repeated id only."""


class Tombstone(history_events.Tombstone):
    """A deleted message, in replays and history."""

    type: Literal["chat"] = "chat"


class DeletedEvent(history_events.DeletedEvent):
    """A message was deleted; an entry of its own in the sequence."""


Entries = list[ChatEvent | Tombstone | DeletedEvent]


class _InRoom(Event):
    room: str


class Joined(history_events.Joined, _InRoom):
    """The first thing a socket gets, and again after a login or a reset of the room's history."""

    messages: Entries


class Replay(history_events.Replay):
    """More of a long replay, before anything live."""

    messages: Entries


class HistoryEvent(history_events.HistoryEvent):
    """The answer to `history`, oldest first."""

    messages: Entries


class SystemEvent(Event):
    """Somebody came or went; not stored."""

    type: Literal["system"] = "system"
    event: Literal["join", "leave"]
    message: str
    name: str | None = None
    """Who; left out where several are told of together."""
    people: int | None = None
    """How many, where several are told of together."""
    sender_id: str | None = None
    timestamp: Timestamp
    users: Users


class TypingEvent(Event):
    """Somebody is writing; not stored."""

    type: Literal["typing"] = "typing"
    sender: str
    sender_id: str | None = None


class RenamedEvent(Event):
    """Somebody who is here is called otherwise from now on; not stored. Also told to themselves."""

    type: Literal["renamed"] = "renamed"
    sender_id: str | None = None
    name: str
    was: str
    timestamp: Timestamp


COMMANDS: tuple[type[Command], ...] = (Send, Typing, history_events.History, history_events.Delete)
EVENTS: tuple[type[Event], ...] = (
    Joined,
    Replay,
    ChatEvent,
    Tombstone,
    DeletedEvent,
    SystemEvent,
    TypingEvent,
    RenamedEvent,
    HistoryEvent,
    history_events.RightsEvent,
)
