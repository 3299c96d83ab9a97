"""Sanctions that open sockets must learn of, wherever in this project they are made, changed or lifted."""

from typing import Any

from django.db.models.signals import post_delete, post_save

from chat.models import Room, Sanction
from realtime.connections import look_again


def watch() -> None:
    """Begin to listen; once per process."""
    post_save.connect(_changed, sender=Sanction)
    post_delete.connect(_changed, sender=Sanction)


def _changed(instance: Sanction, **_: Any) -> None:
    look_again(streams=[Room(pk=instance.room_id).key])
