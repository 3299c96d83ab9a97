"""The notifications socket: parse, call a verb, reply."""

import asyncio
from collections.abc import Container, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from notifications import events
from notifications.conf import conf
from notifications.models import SYSTEM, Cursor, Notification, Topic, known_as
from notifications.publishing import published
from realtime import access, db
from realtime.access import Action, Identity, Rights
from realtime.consumers import Following, JsonConsumer, command
from realtime.hub import Frame, Hub, Start, Subscription, current_journal
from realtime.processes import PresenceChange
from realtime.protocol import ErrorEvent, Event, Refused
from realtime.streams import Stored
from realtime.streams.key import group_of
from realtime.words import counted

HEARTBEAT = "Heartbeat check - all systems normal"
TOPICS_PER_COST = 8
"""Subscribing counts as one command more for so many topics: each is looked up, and what was missed of it is sent."""


class Begun(NamedTuple):
    """A beginning of a topic, of which its client is still to be told."""

    name: str
    following: Following
    beginning: int
    start: Start

    def tell(self) -> Start:
        """Where its client is told to be, as of now: a later beginning may have told them more already."""
        if self.following.is_latest(self.beginning) or self.following.told is None:
            self.following.told = self.start
        return self.following.told


class Followed(Following):
    """One of the topics that a socket follows."""

    __slots__ = ("name",)

    socket: "NotificationsConsumer"

    def __init__(self, socket: "NotificationsConsumer", topic: Topic, name: str) -> None:
        """`name` is what the client calls it."""
        super().__init__(socket, topic)
        self.name = name

    def reset(self) -> None:
        self.socket.spawn(self.socket.restart(self.name))

    def gone(self) -> None:
        self.socket.spawn(self.socket.end_topic(self.name))

    async def replay(self, entries: list[Stored]) -> None:
        for entry in entries:
            await self.socket.reply(entry.text)


class NotificationsConsumer(JsonConsumer):
    """`/ws/notifications/`: one socket, many topics."""

    def __init__(self, *, makes: bool = True) -> None:
        """With `makes` false subscribing makes no topic in production: for what is asked by a GET."""
        super().__init__()
        self.makes = makes
        self.followed: dict[str, Following] = {}
        """By the name the client uses."""
        self.own: Subscription | None = None
        """In the group of all the user's sockets."""
        self.own_group = ""

    async def opened(self) -> None:
        """Hear what the user's other sockets acknowledge."""
        await self.identified()

    async def identified(self) -> None:
        """Be one of the new user's sockets; subscriptions that they may not have end."""
        self._leave_own()
        if self.identity.user is not None:
            self.own = Subscription(self.outbox)
            self.own_group = own_group(self.identity.user.pk)
            await self.hub.join(self.own_group, self.own)
        self._keep(await db.run(self._rights, self.identity, [each.stream for each in self.followed.values()]))

    @staticmethod
    def _rights(identity: Identity, topics: list[Topic]) -> dict[str, Rights]:
        return {topic.key: Rights(identity, topic) for topic in topics}

    def reads(self) -> frozenset[str]:
        """All the topics that it follows."""
        return frozenset(followed.stream.key for followed in self.followed.values())

    def reviewed(self, now: Identity | str, rights: Mapping[str, Rights | None]) -> None:
        """Go on with what one may still read."""
        super().reviewed(now, rights)
        if isinstance(now, Identity):
            self._keep(rights)

    def _keep(self, rights: Mapping[str, Rights | None]) -> None:
        """End the subscriptions that are not among one's rights, and say why."""
        for name, followed in list(self.followed.items()):
            found = rights.get(followed.stream.key)
            if found is not None and found.read is not None:
                self._unfollow(name)
                self.push(Frame(ErrorEvent(code="forbidden", message=f"{name}: {found.read}").encode()))
                self.push(Frame(events.Unsubscribed(topics=[name]).encode()))

    def closed(self) -> None:
        """End all subscriptions."""
        for name in list(self.followed):
            self._unfollow(name)
        self._leave_own()

    def _leave_own(self) -> None:
        if self.own is not None:
            self.hub.leave(self.own_group, self.own)
            self.own = None

    # Subscriptions.

    @command(events.Subscribe)
    async def subscribe(self, asked: events.Subscribe) -> None:
        """Subscribe to all the topics or, where one is refused, to none."""
        names = self._known_as(asked.topics)
        if conf.max_topics and len(self.followed.keys() | set(names)) > conf.max_topics:
            message = f"at most {counted(conf.max_topics, 'topic')} on one socket"
            raise Refused("invalid", f"topics: {message}", fields={"topics": message})
        self.owe(len(names) // TOPICS_PER_COST)
        topics = await db.run(self._open, names)
        cursors = await self._cursors(asked, topics)
        try:
            for name, topic in topics.items():
                await self._follow(name, topic)
            for followed in list(self.followed.values()):
                await self.hub.presence.written(followed.group)
            begun = [await self._locate(name, cursors.get(name)) for name in topics]
        except Exception:
            for name in topics:  # all or none
                self._unfollow(name)
            raise
        await self._begin(begun, asked.id, cursors.keys())

    def _open(self, names: list[str]) -> dict[str, Topic]:
        topics: dict[str, Topic] = {}
        for name in names:
            try:
                topics[name] = self._topic(name, "read")
            except Refused as refusal:
                raise Refused(refusal.code, f"{name}: {refusal.message}", fields=refusal.fields) from None
        return topics

    def _topic(self, name: str, action: Action) -> Topic:
        """The topic of that name, if one may do this there; a refusal leaves the socket open for its other topics."""
        try:
            topic: Topic = Topic.objects.open(name, self.identity, make=self.makes)
            access.require(self.identity, action, topic)
        except Refused as refusal:
            raise Refused(refusal.code, refusal.message, fields=refusal.fields) from None
        return topic

    async def _cursors(self, asked: events.Subscribe, topics: dict[str, Topic]) -> dict[str, events.Cursor]:
        if asked.since is None:
            return {}
        if asked.since != "acked":
            given = {known_as(name, self.identity): cursor for name, cursor in asked.since.items()}
            return {name: cursor for name, cursor in given.items() if name in topics}
        if self.identity.user is None:
            raise Refused("forbidden", "Log in first: guests have no acknowledged positions.")
        known = await db.run(acknowledged, self.identity.user.pk, [topic.pk for topic in topics.values()])
        # What was never acknowledged begins before the first.
        return {name: known.get(topic.pk, events.Cursor(seq=0)) for name, topic in topics.items()}

    async def _follow(self, name: str, topic: Topic) -> None:
        self._unfollow(name)
        following = self.followed[name] = Followed(self, topic, name)
        await following.attach()
        await following.be_present(ignore)
        if topic.name == SYSTEM:
            self.hub.keep_running(f"heartbeat of {following.group}", partial(beat, self.hub, following.group))

    async def _locate(self, name: str, since: events.Cursor | None) -> Begun:
        following = self.followed.get(name)
        if following is None:
            raise Refused("not_found", f"{name}: It does not exist any more.")
        beginning = following.begin()
        start = await following.live.locate(since.seq if since else None, since.epoch if since else None)
        return Begun(name, following, beginning, start)

    async def _begin(self, begun: list[Begun], id: str | None, resumed: Container[str]) -> None:
        """Say where the subscriptions begin, then send what was missed."""
        streams: dict[str, events.StreamStart] = {}
        for each in begun:
            told = each.tell()
            recovered = told.recovered or each.name not in resumed
            streams[each.name] = events.StreamStart(seq=told.seq, epoch=told.epoch, recovered=recovered)
        you, you_id = self.identity.name, self.identity.sender_id
        await self.reply(events.Subscribed(topics=list(streams), streams=streams, you=you, you_id=you_id, id=id))
        for name, following, beginning, start in begun:
            if not following.is_latest(beginning):
                continue
            async for page in following.missed(beginning, start, start.events if name in resumed else []):
                for entry in page:
                    if following.is_latest(beginning):
                        await self.reply(entry.text)

    async def restart(self, name: str) -> None:
        """The topic's positions lost their meaning: begin anew and say so."""
        if name in self.followed:
            begun = await self._locate(name, None)
            if begun.following.is_latest(begun.beginning):
                await self._begin([begun], None, resumed=(name,))

    async def end_topic(self, name: str) -> None:
        self._unfollow(name)
        await self.reply(events.Unsubscribed(topics=[name]))

    @command(events.Unsubscribe)
    async def unsubscribe(self, asked: events.Unsubscribe) -> None:
        """End subscriptions; one that is not there is no error."""
        names = self._known_as(asked.topics)
        for name in names:
            self._unfollow(name)
        await self.reply(events.Unsubscribed(topics=names, id=asked.id))

    def _known_as(self, names: list[str]) -> list[str]:
        """Each topic once, however it was written."""
        return list(dict.fromkeys(known_as(name, self.identity) for name in names))

    def _unfollow(self, name: str) -> None:
        following = self.followed.pop(name, None)
        if following is not None:
            following.leave()

    # Publishing.

    @command(events.Publish)
    async def publish(self, said: events.Publish) -> None:
        """Tell all who subscribed."""
        topic = await db.run(self._topic, said.topic, "write")
        self.owe(self.hub.cost_of(group_of(topic.key)))
        appended = current_journal().append(topic, Notification.saying(self.identity, said.draft()))
        answer = published(said, topic, known_as(said.topic, self.identity), appended)
        await self.answer_later(asyncio.ensure_future(answer), said.id, as_it_is)

    # Acknowledging.

    @command(events.Acknowledge)
    async def acknowledge(self, asked: events.Acknowledge) -> None:
        """Note how far the user has seen a topic, and tell their other sockets."""
        user = self.identity.user
        if user is None:
            raise Refused("forbidden", "Log in first: guests have no acknowledged positions.")
        seq = await db.run(self._acknowledge, user, asked)
        acked = events.Acked(topic=known_as(asked.topic, self.identity), seq=seq)
        self.hub.publish(self.own_group, acked, but=self.own)
        await self.reply(acked.model_copy(update={"id": asked.id}))

    def _acknowledge(self, user: Any, asked: events.Acknowledge) -> int:
        topic = self._topic(asked.topic, "read")
        return Cursor.acknowledge(user, topic, asked.seq)


def own_group(user_pk: Any) -> str:
    """The group of all the sockets of a user."""
    return f"notifications.user.{user_pk}"


def acknowledged(user_pk: Any, topic_pks: list[int]) -> dict[int, events.Cursor]:
    """By topic, how far a user has acknowledged."""
    rows = Cursor.objects.filter(user_id=user_pk, topic_id__in=topic_pks)
    return {row.topic_id: events.Cursor(seq=row.seq, epoch=row.epoch) for row in rows}


def ignore(_: PresenceChange) -> None:
    """Nobody is told who subscribes to a topic."""


def as_it_is(event: Event) -> Event:
    """The answer is the result."""
    return event


async def beat(here: Hub, group: str) -> None:
    """Tell this process's own sockets, for ever, that all is well."""
    while True:
        await asyncio.sleep(conf.heartbeat_interval)
        event = events.NotificationEvent(
            topic=SYSTEM, message=HEARTBEAT, priority=1, sender=SYSTEM, timestamp=datetime.now(UTC)
        )
        here.push(group, event.type, event.encode())
