"""What is said in a chat room: one typed model for each command and event."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from realtime.protocol import Command, Event, PersonText, Sequence, Timestamp, Users

# From the client.


class Send(Command):
    """Say something. The `chat` event with this id is the acknowledgement."""

    action: Literal["send"] = "send"
    text: Annotated[PersonText, StringConstraints(min_length=1)]


class Typing(Command):
    """Tell the others that one is writing."""

    action: Literal["typing"] = "typing"


class History(Command):
    """Ask for older entries."""

    action: Literal["history"] = "history"
    before: Annotated[Sequence, Field(ge=1)] | None = None
    limit: Annotated[int, Field(ge=1, le=300)] = 50


class Delete(Command):
    """Delete an own message; moderators delete any."""

    action: Literal["delete"] = "delete"
    seq: Annotated[Sequence, Field(ge=1)]


# To the client.


class ChatEvent(Event):
    """Somebody said something."""

    type: Literal["chat"] = "chat"
    seq: Sequence
    sender: str
    message: str
    timestamp: Timestamp
    id: str | None = None
    duplicate: Literal[True] | None = None
    """In the answer to a repeated id only."""


class Tombstone(Event):
    """A deleted message, in replays and history."""

    type: Literal["chat"] = "chat"
    seq: Sequence
    deleted: Literal[True] = True
    sender: str
    timestamp: Timestamp
    id: str | None = None
    duplicate: Literal[True] | None = None
    """With the id, where its sender repeats what was deleted meanwhile."""


class DeletedEvent(Event):
    """A message was deleted; an entry of its own in the sequence."""

    type: Literal["deleted"] = "deleted"
    seq: Sequence
    target: Sequence
    by: str
    timestamp: Timestamp
    id: str | None = None
    duplicate: Literal[True] | None = None


Entries = list[ChatEvent | Tombstone | DeletedEvent]


class Joined(Event):
    """The first thing a socket gets, and again after a login or a reset of the room's history."""

    type: Literal["joined"] = "joined"
    room: str
    you: str
    seq: Sequence
    """The position up to which `messages` and `replay` reach."""
    epoch: str
    recovered: bool
    """Nothing is missing after the position the socket gave."""
    more: bool
    """Older entries exist: ask history."""
    users: Users
    messages: Entries


class Replay(Event):
    """More of a long replay, before anything live."""

    type: Literal["replay"] = "replay"
    messages: Entries


class HistoryEvent(Event):
    """The answer to `history`, oldest first."""

    type: Literal["history"] = "history"
    more: bool
    id: str | None = None
    messages: Entries


class SystemEvent(Event):
    """Somebody came or went; not stored."""

    type: Literal["system"] = "system"
    event: Literal["join", "leave"]
    message: str
    name: str | None = None
    """Who; left out where several are told of together."""
    timestamp: Timestamp
    users: Users


class TypingEvent(Event):
    """Somebody is writing; not stored."""

    type: Literal["typing"] = "typing"
    sender: str


COMMANDS: tuple[type[Command], ...] = (Send, Typing, History, Delete)
EVENTS: tuple[type[Event], ...] = (
    Joined,
    Replay,
    ChatEvent,
    Tombstone,
    DeletedEvent,
    SystemEvent,
    TypingEvent,
    HistoryEvent,
)
