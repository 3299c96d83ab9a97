"""What is done in admin, one line each: every entry of Django's admin log is a line of this one."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry, LogEntryManager
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Manager
from django.db.models.signals import post_save

from realtime.log import log

ACTIONS: Mapping[int, str] = {ADDITION: "add", CHANGE: "change", DELETION: "delete"}

logger = logging.getLogger("chorus.admin")


def watch() -> None:
    """Begin to listen; once per process."""
    post_save.connect(_saved, sender=LogEntry)
    LogEntryManager.bulk_create = _bulk_create  # type: ignore[assignment]  # it sends no signal for many


def _saved(instance: LogEntry, created: bool, **_: Any) -> None:
    if created:
        _tell([instance])


def _bulk_create(self: LogEntryManager, objs: Iterable[LogEntry], *args: Any, **kwargs: Any) -> list[LogEntry]:
    entries = Manager.bulk_create(self, objs, *args, **kwargs)
    _tell(entries)
    return entries


def _tell(entries: Iterable[LogEntry]) -> None:
    """Log them once they are committed: who, what was done, to which model's which row, and nothing typed."""
    names: dict[Any, str] = {}
    for entry in entries:
        if entry.user_id not in names:
            names[entry.user_id] = _name_of(entry.user_id)
        facts = {
            "who": names[entry.user_id],
            "action": ACTIONS.get(entry.action_flag, str(entry.action_flag)),
            "model": _model_of(entry.content_type_id),
            "object": entry.object_id,
        }
        transaction.on_commit(_line(facts), robust=True)


def _line(facts: Mapping[str, str | None]) -> Callable[[], None]:
    def tell() -> None:  # a function with a name, which Django puts into its log if it fails
        log(logger, "admin", **facts)

    return tell


def _name_of(user_pk: Any) -> str:
    user = get_user_model()._default_manager.filter(pk=user_pk).first()
    return str(user_pk) if user is None else user.get_username()


def _model_of(content_type_pk: int | None) -> str:
    if content_type_pk is None:
        return ""
    found = ContentType.objects.get_for_id(content_type_pk)
    return f"{found.app_label}.{found.model}"
