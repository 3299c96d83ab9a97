"""Time that has passed, as far as the database's rows know."""

from datetime import timedelta

from django.db.models import F

from chat.models import Room
from realtime.access import Identity
from realtime.streams.stream import Stream


def older(stream: Stream, *seqs: int, days: float) -> None:
    """Have the stream's entries, or those at some positions, been stored so many days earlier."""
    rows = stream.appended()
    chosen = rows.filter(seq__in=seqs) if seqs else rows
    chosen.update(created_at=F("created_at") - timedelta(days=days))


def said(room: Room, days_ago: int, *senders: str) -> None:
    """Have people said something in the room, each "hi", so many days ago."""
    for sender in senders:
        older(room, room.post(Identity(f"user:{sender}", sender), "hi").seq, days=days_ago)
