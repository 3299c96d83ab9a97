"""Changes of a stream's access that open sockets must learn of, wherever in this project they are made."""

from typing import Any

from django.db.models.signals import m2m_changed, post_save

from realtime.connections.control import look_again
from realtime.streams.grants import GRANT_FIELDS
from realtime.streams.kinds import kinds
from realtime.streams.stream import Stream


def watch() -> None:
    """Begin to listen; once per process. What only moves a position is no save, and is not heard here."""
    for model in kinds():
        post_save.connect(_saved, sender=model)
        for name in GRANT_FIELDS:
            m2m_changed.connect(_granted, sender=getattr(model, name).through)


def _saved(instance: Stream, created: bool, **_: Any) -> None:
    if not created:
        look_again(streams=[instance.key])


def _granted(instance: Any, action: str, reverse: bool, **_: Any) -> None:
    if action.startswith("post_"):
        look_again(streams=() if reverse else [instance.key], everyone=reverse)
