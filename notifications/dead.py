"""What means nothing any more, and goes with pruning: positions that were acknowledged in an epoch that is over."""

from django.db.models import F

from notifications.models import Cursor
from realtime.streams.retention import delete_some


def cursors() -> bool:
    """Delete some; True if there may be more."""
    return delete_some(Cursor.objects.exclude(epoch=F("topic__epoch")))
