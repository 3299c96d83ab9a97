"""Many stored entries in few frames: their ready JSON is put into an event without decoding it."""

from collections.abc import Iterator

from realtime.batch import Stored
from realtime.protocol import Event

FRAME_BYTES = 256 * 1024
"""A replay's frames are no larger, and each is awaited: a slow reader of a replay is paced, not closed."""


def with_entries(event: Event, entries: list[Stored]) -> str:
    """The event as JSON with the entries in its list `messages`, which must be its last field and empty."""
    text = event.encode()
    assert text.endswith('"messages":[]}'), "messages is the last field"
    return f"{text[:-2]}{','.join([entry.text for entry in entries])}]}}"


def pages(entries: list[Stored]) -> Iterator[list[Stored]]:
    """Cut a run of entries into pages of at most FRAME_BYTES; at least one, which may be empty."""
    page: list[Stored] = []
    size = 0
    for entry in entries:
        length = len(entry.text.encode()) + 1
        if page and size + length > FRAME_BYTES - 4096:  # room for the event around them
            yield page
            page, size = [], 0
        page.append(entry)
        size += length
    yield page
