"""Many stored entries in few frames: their ready JSON is put into an event without decoding it."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from realtime.protocol import Event
from realtime.streams.batch import Stored

FRAME_BYTES = 256 * 1024
"""A replay's frames are no larger, and each is awaited: a slow reader of a replay is paced, not closed."""
FIRST_PORTION = 20
"""Entries of a history that are read before it is known how long they are."""
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


def newest(rows: QuerySet[Any], limit: int) -> tuple[list[Stored], bool]:
    """The end of a run of rows, at most `limit` and as much as a frame holds, and whether others stand before it.

    They are read in portions, the first a small one: of long entries few fit, and the others are not read.
    """
    found: list[Stored] = []
    size, portion = 0, FIRST_PORTION
    while True:
        wanted = min(portion, limit + 1 - len(found))
        older = rows.filter(seq__lt=found[-1].seq) if found else rows  # others may have come meanwhile
        read = [row.stored() for row in older.order_by("-seq")[:wanted]]
        for entry in read:
            size += _length(entry)
            if len(found) == limit or (found and size > ENTRIES_BYTES):
                return found[::-1], True
            found.append(entry)
        if len(read) < wanted:
            return found[::-1], False
        portion = max(1, (ENTRIES_BYTES - size) * len(found) // size)


def _length(entry: Stored) -> int:
    return len(entry.text.encode()) + 1
