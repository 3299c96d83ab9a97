"""Many stored entries in few frames: their ready JSON is put into an event without decoding it."""

from collections.abc import Iterator

from realtime.protocol import Event
from realtime.streams.batch import Stored

FRAME_BYTES = 256 * 1024
"""A replay's frames are no larger, and each is awaited: a slow reader of a replay is paced, not closed."""
ENTRIES_BYTES = FRAME_BYTES - 4096
"""What is left of a frame for its entries."""


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
        length = _length(entry)
        if page and size + length > ENTRIES_BYTES:
            yield page
            page, size = [], 0
        page.append(entry)
        size += length
    yield page


def newest(entries: list[Stored]) -> list[Stored]:
    """The end of a run, as much as a frame holds; at least one entry, if there is one."""
    size = 0
    for index in range(len(entries) - 1, -1, -1):
        size += _length(entries[index])
        if size > ENTRIES_BYTES:
            return entries[index + 1 :] or entries[-1:]
    return entries


def _length(entry: Stored) -> int:
    return len(entry.text.encode()) + 1
