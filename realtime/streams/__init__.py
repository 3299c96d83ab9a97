"""What is stored: streams and their entries, how they are committed, kept, read back and let go.

Plain synchronous Django. An app derives its models from History and Record, or from Stream and Entry.
"""

from realtime.streams.batch import PAGE, Snapshot, Stored
from realtime.streams.entry import Entry
from realtime.streams.history import History, Record
from realtime.streams.key import group_of
from realtime.streams.name import is_name, validate_name
from realtime.streams.queries import StreamQuerySet
from realtime.streams.replay import newest, pages, with_entries
from realtime.streams.stream import IDS_KEPT, PRUNED_AT_ONCE, Stream, new_epoch, unpruned

__all__ = [
    "IDS_KEPT",
    "PAGE",
    "PRUNED_AT_ONCE",
    "Entry",
    "History",
    "Record",
    "Snapshot",
    "Stored",
    "Stream",
    "StreamQuerySet",
    "group_of",
    "is_name",
    "new_epoch",
    "newest",
    "pages",
    "unpruned",
    "validate_name",
    "with_entries",
]
