"""What is said on the socket of any history. An app adds what is its own, and derives from these to type its entries.

Events that carry entries have them as their last field, `messages`: see realtime.streams.replay.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from realtime.protocol import Command, Event, Sequence, Timestamp, Users

# From the client.


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


class EntryEvent(Event):
    """Something that was stored in the history; an app says what."""

    seq: Sequence
    sender: str
    sender_id: str | None = None
    timestamp: Timestamp
    id: str | None = None
    duplicate: Literal[True] | None = None
    """In the answer to a repeated id only."""
    target: Sequence | None = None
    """The position of the entry that this one changed."""


class Joined(Event):
    """The first thing a socket gets, and again after a login or a reset of the history."""

    type: Literal["joined"] = "joined"
    you: str
    you_id: str | None = None
    """What others know you by: the `sender_id` of what you say."""
    seq: Sequence
    """The position up to which `messages` and `replay` reach."""
    epoch: str
    recovered: bool
    """Nothing is missing after the position the socket gave."""
    more: bool
    """Older entries exist: ask history."""
    users: Users
    messages: list[Any]


class Replay(Event):
    """More of a long replay, before anything live."""

    type: Literal["replay"] = "replay"
    messages: list[Any]


class HistoryEvent(Event):
    """The answer to `history`, oldest first."""

    type: Literal["history"] = "history"
    more: bool
    id: str | None = None
    messages: list[Any]


class RightsEvent(Event):
    """Whether one may write here has changed; who joins muted gets it too."""

    type: Literal["rights"] = "rights"
    write: bool
    message: str | None = None
    """Why not, in a sentence."""
    reason: str | None = None
    """Of what was imposed, in the words of who did."""
    until: Timestamp | None = None
    """When it ends; left out where it is for good."""


class Tombstone(Event):
    """What was deleted, in replays and history; its `type` is that of what it was."""

    seq: Sequence
    deleted: Literal[True] = True
    sender: str
    sender_id: str | None = None
    timestamp: Timestamp
    id: str | None = None
    duplicate: Literal[True] | None = None
    """With the id, where its sender repeats what was deleted meanwhile."""


class DeletedEvent(Event):
    """An entry was deleted; an entry of its own in the sequence."""

    type: Literal["deleted"] = "deleted"
    seq: Sequence
    target: Sequence
    by: str
    by_id: str | None = None
    timestamp: Timestamp
    id: str | None = None
    duplicate: Literal[True] | None = None
