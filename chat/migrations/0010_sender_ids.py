"""What was said before readers knew people by ids gets the ids of those who said it."""

from typing import Any

from django.db import migrations

from realtime.people import give_ids


def give(apps: Any, schema_editor: Any) -> None:
    give_ids(apps, schema_editor.connection.alias, "chat", "message")


class Migration(migrations.Migration):
    atomic = False  # in steps, so that nobody waits for all of it

    dependencies = [("chat", "0009_message_sender_id"), ("realtime", "0002_person")]

    operations = [migrations.RunPython(give, migrations.RunPython.noop, elidable=True)]
