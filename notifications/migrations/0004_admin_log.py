"""Admin's log says which notification an act was about, and no more what it said."""

from typing import Any

from django.apps import apps as installed
from django.db import migrations

from realtime.admin_log import forget_texts

ADMIN = [("admin", "0003_logentry_add_action_flag_choices")] if installed.is_installed("django.contrib.admin") else []


def forget(apps: Any, schema_editor: Any) -> None:
    forget_texts(apps, schema_editor.connection.alias, "notifications", "notification")


class Migration(migrations.Migration):
    atomic = False  # in batches, so that nobody waits for all of it

    dependencies = [("notifications", "0003_access"), ("contenttypes", "0002_remove_content_type_name"), *ADMIN]

    operations = [migrations.RunPython(forget, migrations.RunPython.noop)]
