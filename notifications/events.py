"""What is said on the notifications socket: one typed model for each command and event."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from notifications.draft import MAX_TAG, MAX_TAGS, MAX_TITLE, Draft
from realtime.protocol import Command, Epoch, Event, Payload, Sequence, Timestamp
from realtime.texts import NOT_BLANK, LongText, PersonText

MAX_NAMES = 1000
"""Topics that one command names; CHORUS_MAX_TOPICS says how many a socket may subscribe to."""
TopicName = Annotated[PersonText, StringConstraints(min_length=1, max_length=151)]
"""A topic, `me`, or `@` and a user name; lower-cased first but for user names."""
Topics = Annotated[list[TopicName], Field(min_length=1, max_length=MAX_NAMES)]
Priority = Annotated[int, Field(ge=1, le=5)]
Title = Annotated[PersonText, StringConstraints(max_length=MAX_TITLE)]
Tag = Annotated[PersonText, StringConstraints(min_length=1, max_length=MAX_TAG), *NOT_BLANK]
Tags = Annotated[list[Tag], Field(max_length=MAX_TAGS)]


class Cursor(Payload):
    """A position in a topic, with the epoch it belongs to."""

    seq: Sequence
    epoch: Epoch | None = None


def _few(since: object) -> object:
    """Counted before they are looked at: each wrong one costs an error."""
    if isinstance(since, dict) and len(since) > MAX_NAMES:
        raise ValueError(f"expected at most {MAX_NAMES} topics")
    return since


Cursors = Annotated[dict[TopicName, Cursor], Field(max_length=MAX_NAMES)]
"""Positions by topic."""

# From the client.


class Subscribe(Command):
    """Get a topic's notifications from now on, and those after a position."""

    action: Literal["subscribe"] = "subscribe"
    topics: Topics
    since: Annotated[Cursors | Literal["acked"] | None, BeforeValidator(_few)] = None
    """By topic, or where the user last acknowledged."""


class Unsubscribe(Command):
    """Get them no more."""

    action: Literal["unsubscribe"] = "unsubscribe"
    topics: Topics


class Publish(Command):
    """Tell all who subscribed."""

    action: Literal["publish"] = "publish"
    topic: TopicName
    message: LongText
    title: Title = ""
    priority: Priority = 3
    tags: Tags = Field(default_factory=list)

    def draft(self) -> Draft:
        """What is to be published; raises Refused `too_long`."""
        return Draft(self.message, self.title, self.priority, self.tags, self.id)


class Acknowledge(Command):
    """Note that all up to a position was seen."""

    action: Literal["ack"] = "ack"
    topic: TopicName
    seq: Sequence


# To the client.


class StreamStart(Payload):
    """Where a subscription begins."""

    seq: Sequence
    epoch: str
    recovered: bool
    """Nothing is missing after the position the client gave."""


class Subscribed(Event):
    """The subscriptions stand; what was missed follows."""

    type: Literal["subscribed"] = "subscribed"
    topics: list[str]
    streams: dict[str, StreamStart]
    you: str | None = None
    you_id: str | None = None
    """What others know you by: the `sender_id` of what you publish."""
    id: str | None = None


class Unsubscribed(Event):
    """The subscriptions have ended."""

    type: Literal["unsubscribed"] = "unsubscribed"
    topics: list[str]
    id: str | None = None


class Published(Event):
    """A notification is committed."""

    type: Literal["published"] = "published"
    topic: str
    recipients: int
    """Sockets subscribed now, in all processes."""
    seq: Sequence | None = None
    id: str | None = None
    duplicate: Literal[True] | None = None


class NotificationEvent(Event):
    """A notification. Those of `system` are not stored and have no `seq`."""

    type: Literal["notification"] = "notification"
    topic: str
    seq: Sequence | None = None
    message: str
    title: str | None = None
    priority: Priority = 3
    tags: list[str] | None = None
    sender: str
    sender_id: str | None = None
    timestamp: Timestamp
    id: str | None = None


class RetractedEvent(Event):
    """A notification was deleted; an entry of its own in the sequence."""

    type: Literal["retracted"] = "retracted"
    topic: str
    seq: Sequence
    target: Sequence
    by: str
    by_id: str | None = None
    timestamp: Timestamp


class Tombstone(Event):
    """A deleted notification, in replays."""

    type: Literal["notification"] = "notification"
    topic: str
    seq: Sequence
    deleted: Literal[True] = True
    sender: str
    sender_id: str | None = None
    timestamp: Timestamp


class Acked(Event):
    """The user has acknowledged a topic up to a position, on this or another of their sockets."""

    type: Literal["acked"] = "acked"
    topic: str
    seq: Sequence
    id: str | None = None


COMMANDS: tuple[type[Command], ...] = (Subscribe, Unsubscribe, Publish, Acknowledge)
EVENTS: tuple[type[Event], ...] = (
    Subscribed,
    Unsubscribed,
    Published,
    NotificationEvent,
    RetractedEvent,
    Tombstone,
    Acked,
)
