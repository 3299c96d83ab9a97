"""Admin's log of what was done outside of admin; and of entries it keeps which they are, and never what they say."""

from typing import Any

from django.apps import apps as installed
from django.db.models import Model

BATCH = 1000
"""Rows of the log that one transaction rewrites."""


def note(user: Any, about: Model, what: str) -> None:
    """Write down what a user did about a row, in words, as admin's pages do; nothing where there is no admin."""
    if not installed.is_installed("django.contrib.admin"):
        return
    from django.contrib.admin.models import CHANGE, LogEntry

    LogEntry.objects.log_actions(user.pk, [about], CHANGE, what, single_object=True)


def forget_texts(apps: Any, using: str, app_label: str, model_name: str) -> None:
    """Rewrite what the log says of a model's entries; for a migration, with its historical models.

    Before, it kept the beginning of their text, also of those that were deleted. Nothing to do where there is no admin.
    """
    try:
        log = apps.get_model("admin", "LogEntry")._default_manager.using(using)
    except LookupError:
        return
    model = apps.get_model(app_label, model_name)
    about = log.filter(content_type__app_label=app_label, content_type__model=model_name).order_by("pk")
    last = 0
    while rows := list(about.filter(pk__gt=last)[:BATCH]):
        pks = {int(row.object_id) for row in rows if (row.object_id or "").isdecimal()}
        found = model._default_manager.using(using).filter(pk__in=pks)
        known = {str(pk): (seq, name) for pk, seq, name in found.values_list("pk", "seq", "stream__name")}
        for row in rows:
            seq, name = known.get(row.object_id, (0, ""))
            row.object_repr = f"{model._meta.verbose_name} " + (f"{seq} in {name}" if name else "that is gone")
        log.bulk_update(rows, ["object_repr"], batch_size=100)
        last = rows[-1].pk
