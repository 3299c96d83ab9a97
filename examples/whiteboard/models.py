"""Boards and their notes; what can be done to them is here."""

from typing import Any, ClassVar

from django.db import models

from examples.whiteboard import events
from realtime.access import Identity
from realtime.streams import History, Record


class Board(History):
    """A wall for notes."""

    def put(self, sender: Identity, put: events.Put) -> "Note":
        """Put up a note, or change one; everyone is told when the surrounding transaction commits. Raises Refused."""
        return self.append(Note.from_command(sender, put))


class Note(Record):
    """A note that was put up; or that one was changed, or taken away."""

    stream = models.ForeignKey(Board, on_delete=models.CASCADE, related_name="notes", verbose_name="board")
    text = models.CharField(max_length=events.MAX_TEXT)
    x = models.PositiveSmallIntegerField(null=True)
    y = models.PositiveSmallIntegerField(null=True)

    event_model = events.NoteEvent
    says = ("text", "x", "y")
    emptied: ClassVar[dict[str, Any]] = {"text": "", "deleted": True}
    changed_by = "x"
    may_moderate = True  # who may write may take away what others put up
