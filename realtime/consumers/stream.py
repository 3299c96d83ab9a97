"""What the sockets of one stream share: open it, join it, be present in it, stay up to date."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from realtime import db
from realtime.access import Action, Identity, Rights
from realtime.consumers.commands import JsonConsumer
from realtime.consumers.entrances import Entrance, entrances
from realtime.consumers.following import Following
from realtime.hub.hub import Hub
from realtime.hub.journal import current_journal
from realtime.hub.live import Start
from realtime.processes.told import PresenceChange
from realtime.protocol import CloseCode, Event, Refused, UsersEvent
from realtime.streams.batch import Stored
from realtime.streams.entry import Entry
from realtime.streams.stream import Stream

SOON_SECONDS = 0.05
"""Rights that time changes are looked at again no sooner: the database's clock may be a moment behind."""


class OnlyStream(Following):
    """The one stream of a socket."""

    __slots__ = ()

    socket: "StreamConsumer"

    def reset(self) -> None:
        self.socket.spawn(self.socket.join(None, None))

    def gone(self) -> None:
        self.socket.end(CloseCode.NO_SUCH_STREAM, "it was deleted")

    async def replay(self, entries: list[Stored]) -> None:
        await self.socket.replay(entries)

    def lost(self, start: Start) -> None:
        self.socket.begin(start)


class StreamConsumer(JsonConsumer):
    """A socket that reads one stream: a room, a counter. A subclass says how."""

    __slots__ = ("_looking", "following", "kinds", "rights", "stream")

    model: ClassVar[type[Stream]]
    default_name: ClassVar[str] = ""
    """The stream of an address that names none."""
    presence_seconds: ClassVar[float] = 0.0
    """Comings and goings are told at most once in so many seconds; 0: at once."""

    stream: Any
    rights: Rights

    def __init__(self) -> None:
        super().__init__()
        self.kinds: frozenset[str] | None = None
        """The event types this socket wants; None: all."""
        self.following: Following | None = None
        """None until it has been let in."""
        self._looking: asyncio.TimerHandle | None = None
        """Looks at the rights again when time alone will have changed them."""

    # For subclasses.

    def stream_name(self) -> str:
        """The name in the address: its argument that is called as the model, `room` for a Room."""
        name: str | None = self.scope["url_route"]["kwargs"].get(self.model._meta.model_name)
        return name or self.default_name

    def begin(self, start: Start) -> list[Stored]:
        """Push the first events, without waiting; returns the entries that `replay` is still to send."""
        raise NotImplementedError

    async def replay(self, entries: list[Stored]) -> None:
        """Send entries that were missed."""
        for entry in entries:
            if self.kinds is None or entry.kind in self.kinds:
                await self.reply(entry.text)

    @staticmethod
    def tell_presence(hub: Hub, group: str, change: PresenceChange) -> None:
        """Tell a group's local sockets who came and went; unless an app says more, how many connections there are."""
        if not change.renamed:
            hub.push(group, "users", UsersEvent(count=change.users.connections or 0).encode())

    @classmethod
    def _presence_changed(cls, hub: Hub, group: str, change: PresenceChange) -> None:
        names = {here.key: here.name for here, _ in change.renamed}
        for socket in hub.sockets if names else ():
            if isinstance(socket, cls) and socket.group == group and socket.identity.key in names:
                socket.identity = replace(socket.identity, name=names[socket.identity.key])
        cls.tell_presence(hub, group, change)

    def answer(self, entry: Any) -> Event | None:
        """What the sender of a stored entry gets; None where what all readers get tells them."""
        raise NotImplementedError

    def tell_rights(self) -> None:
        """Called when whether one may write, or why not, has changed; unless a subclass says more, nobody is told."""

    async def store(self, entry: Entry, needs: Action = "write") -> None:
        """Append an entry of theirs, and answer once it is committed; their next command does not wait for that.

        Raises Refused unless whoever speaks may do here what it `needs`.
        """
        await self.require(needs)
        self.owe(self.hub.cost_of(self.group))
        await self.answer_later(current_journal().append(self.stream, entry), entry.client_id, self.answer)

    @property
    def group(self) -> str:
        """The group of all sockets that read this stream."""
        return "" if self.following is None else self.following.group

    async def require(self, action: Action) -> None:
        """Raise Refused unless whoever speaks may do this here."""
        if self.rights.stale:
            self._take(await db.run(self._look_again))
        self.rights.require(action)

    # The way in and out.

    async def opened(self) -> None:
        """Join the stream, with what was missed if the client says where it was."""
        found = await entrances.get(Entrance(self.model, self.stream_name(), self.identity))
        assert found is not None, "everyone who asks is answered"
        if isinstance(found, Refused):
            raise found
        self.stream, rights = found
        rights.require("read")
        self._take(rights)
        since = self._since()
        self.following = OnlyStream(self, self.stream, kinds=self.kinds)
        await self.following.attach()
        self.stream = self.following.stream
        await self.join(since, self.query.get("epoch"))

    def _since(self) -> int | None:
        given = self.query.get("since")
        if given is None:
            return None
        if not given.isascii() or not given.isdigit() or len(given) > 18:
            message = "since: expected the seq of the last entry you have"
            raise Refused("invalid", message, fields={"since": message}, close=CloseCode.POLICY)
        return int(given)

    async def join(self, since: int | None, epoch: str | None) -> None:
        """Say where the stream is, and send what the client lacks."""
        following = self.following
        assert following is not None
        beginning = following.begin()
        start = await following.live.locate(since, epoch)
        changed = partial(self._presence_changed, self.hub, self.group)
        await following.be_present(changed, every=self.presence_seconds)
        name = self.hub.presence.name_of(self.group, following.present_as)
        if name is not None and name != self.identity.name:  # a guest's may be taken here
            self.identity = replace(self.identity, name=name)
        if following.is_latest(beginning):
            rest = self.begin(start)
            async for page in following.missed(beginning, start, rest):
                await self.replay(page)

    async def identified(self) -> None:
        """Be present under the new name, from here on."""
        following = self.following
        assert following is not None
        rights = await db.run(self._look_again)
        rights.require("read")
        self._take(rights)
        following.key = self.identity.key
        # Who has caught up has everything up to the stream's position; who is still joining begins again.
        since = following.live.position if following.caught_up else None
        await self.join(since, following.live.epoch)

    def closed(self) -> None:
        """Leave the stream."""
        self._forget_looking()
        if self.following is not None:
            self.following.leave()

    # Rights.

    def _take(self, rights: Rights) -> None:
        """Go on with these rights, and tell of a change; who may not even read any more has to leave."""
        joined = self.following is not None and self.following.open
        changed = joined and self.rights.write != rights.write
        self.rights = rights
        self._forget_looking()
        if rights.seconds is not None:
            seconds = max(rights.seconds, SOON_SECONDS)
            self._looking = asyncio.get_running_loop().call_later(seconds, lambda: self.spawn(self._time_has_come()))
        if rights.read is not None:
            self.end(CloseCode.NOT_ALLOWED, rights.read)
        elif changed:
            self.tell_rights()

    async def _time_has_come(self) -> None:
        with suppress(db.Unavailable):  # the next command or review looks again
            self._take(await db.run(self._look_again))

    def _forget_looking(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def _look_again(self) -> Rights:
        stream = self.model._default_manager.filter(pk=self.stream.pk).first()
        if stream is None:
            raise Refused("not_found", "It does not exist any more.", close=CloseCode.NO_SUCH_STREAM)
        return Rights(self.identity, stream)

    def reads(self) -> frozenset[str]:
        """The one stream."""
        return frozenset({self.stream.key}) if self.following is not None else frozenset()

    def reviewed(self, now: Identity | str, rights: Mapping[str, Rights | None]) -> None:
        """Go on with what one may now."""
        super().reviewed(now, rights)
        if self.following is not None:
            self.following.renamed()
        found = rights.get(self.stream.key) if rights else None
        if found is not None:
            self._take(found)
