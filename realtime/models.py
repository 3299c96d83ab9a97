"""By which id others know whom; and what admin shows of connections, so that Django's own permissions decide."""

import secrets
from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Now


class _NoRows(models.Manager["Connection"]):
    """There is no table: what asks for rows, such as a dump of the database, finds none."""

    def get_queryset(self) -> Any:
        return super().get_queryset().none()


class Connection(models.Model):
    """An open socket, as connections.report finds it. It is never stored: `view` lets staff see, `delete` close."""

    id = models.CharField(max_length=16, primary_key=True)

    objects = _NoRows()

    class Meta:
        managed = False
        base_manager_name = "objects"
        default_permissions: ClassVar[Any] = ("view", "delete")

    def __str__(self) -> str:
        return f"Connection {self.pk}"


def new_sender_id() -> str:
    """A random id of 16 characters, 96 random bits, that tells nothing of whom it is for."""
    return secrets.token_urlsafe(12)


class Person(models.Model):
    """Somebody as others know them: an id that stays when their name changes, and from which no key can be told."""

    sender_id = models.CharField(max_length=22, primary_key=True, default=new_sender_id, editable=False)
    key = models.CharField(max_length=64, unique=True, editable=False)
    """Their Identity.key."""
    seen_at = models.DateTimeField(db_default=Now(), db_index=True, editable=False)
    """When they were last looked up, to the day."""

    class Meta:
        default_permissions: ClassVar[Any] = ()

    def __str__(self) -> str:
        return self.sender_id
