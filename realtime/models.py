"""What admin shows of this package, so that Django's own permissions decide who sees it."""

from typing import Any, ClassVar

from django.db import models


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
