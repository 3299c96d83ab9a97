"""What is said on a board's socket, besides what any history says."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from realtime.history_events import EntryEvent
from realtime.protocol import Command, Sequence
from realtime.texts import PersonText

MAX_TEXT = 200
Place = Annotated[int, Field(ge=0, le=2000)]  # CSS pixels


class Put(Command):
    """Put up a note, or change the one at a position."""

    action: Literal["put"] = "put"
    text: Annotated[PersonText, StringConstraints(min_length=1, max_length=MAX_TEXT)]
    x: Place
    y: Place
    target: Sequence | None = None


class NoteEvent(EntryEvent):
    """A note was put up, or the one at `target` was changed."""

    type: Literal["note"] = "note"
    text: str
    x: int
    y: int
