"""A board's socket."""

from examples.whiteboard import events
from examples.whiteboard.models import Board, Note
from realtime.consumers import HistoryConsumer, command


class BoardConsumer(HistoryConsumer):
    """`/ws/board/<board>/`: everyone sees the same notes in the same places."""

    model = Board

    @command(events.Put)
    async def put(self, put: events.Put) -> None:
        """Put up a note, or change one; everyone's `note` event is the sender's acknowledgement."""
        await self.store(Note.from_command(self.identity, put))
