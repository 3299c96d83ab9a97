"""The sockets of a history: told where it is and what was last said, what they missed, what is older; and a deletion.

An app says what else can be said, and its verbs and events do the rest:

    class BoardConsumer(HistoryConsumer):
        model = Board

        @command(events.Put)
        async def put(self, put: events.Put) -> None:
            await self.store(Note.from_command(self.identity, put))
"""

from typing import Any, ClassVar

from realtime import db
from realtime.consumers.commands import command
from realtime.consumers.stream import StreamConsumer
from realtime.history_events import Delete, History, HistoryEvent, Joined, Replay, RightsEvent
from realtime.hub.live import Start
from realtime.hub.outbox import Frame
from realtime.protocol import Event
from realtime.rates import HISTORY_COST
from realtime.streams.batch import Stored
from realtime.streams.replay import pages, with_entries


class HistoryConsumer(StreamConsumer):
    """A socket that reads one history: `joined` first, `history` and `delete` as commands.

    One that asked for some kinds of events only (`kinds`) gets no others: neither `joined` nor frames of many entries.
    """

    __slots__ = ()

    joined: ClassVar[type[Joined]] = Joined
    """An app's own may have a field called as the model, `room` for a Room: the stream's name."""

    def begin(self, start: Start) -> list[Stored]:
        """Say where the history is, and what was last said."""
        if self.kinds is not None:
            return start.events if "since" in self.query else []
        first = next(pages(start.events))
        joined = self.joined.model_validate(
            {
                str(self.model._meta.model_name): self.stream.name,
                "you": self.identity.name,
                "you_id": self.identity.sender_id,
                "seq": start.seq,
                "epoch": start.epoch,
                "recovered": start.recovered,
                "more": start.more,
                "users": self.hub.presence.users(self.group),
                "messages": [],
            }
        )
        self.push(Frame(with_entries(joined, first)))
        if self.rights.restriction is not None:
            self.tell_rights()
        return start.events[len(first) :]

    def tell_rights(self) -> None:
        """Say whether one may write, and why not."""
        if self.kinds is not None:
            return
        imposed = None if self.rights.write is None else self.rights.restriction
        event = RightsEvent(
            write=self.rights.write is None,
            message=self.rights.write,
            reason=(imposed and imposed.reason) or None,
            until=imposed and imposed.until,
        )
        self.push(Frame(event.encode()))

    async def replay(self, entries: list[Stored]) -> None:
        """Send entries that were missed, many in a frame."""
        if self.kinds is None:
            await self.reply(with_entries(Replay(messages=[]), entries))
        else:
            await super().replay(entries)

    @command(History)
    async def tell_history(self, asked: History) -> None:
        """Send older entries."""
        await self.require("read")
        self.owe(HISTORY_COST - 1)
        entries, more = await db.run_apart(self.stream.history, before=asked.before, limit=asked.limit)
        event = HistoryEvent(more=more, id=asked.id, messages=[])
        await self.reply(with_entries(event, entries))

    @command(Delete)
    async def delete(self, asked: Delete) -> None:
        """Delete an entry; an entry of its own tells of it."""
        deletion = await db.run(self.model.entry_model.deleting, self.identity, asked.seq, asked.id)
        deletion.stream = self.stream
        await self.store(deletion, deletion.deletion_needs)

    def answer(self, entry: Any) -> Event | None:
        """Nothing, since the event that all readers get is one; but where its id was used before, what came of it."""
        if not entry.duplicate:
            return None
        event: Event = entry.as_event()
        return event.model_copy(update={"id": entry.client_id, "duplicate": True})
