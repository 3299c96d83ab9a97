"""What was said before bytes were counted is counted."""

from typing import Any

from django.db import migrations

from realtime.streams.sizes import measure_all


def measure(apps: Any, schema_editor: Any) -> None:
    measure_all(apps, schema_editor.connection.alias, "chat", "room", "message", ("text",))


class Migration(migrations.Migration):
    atomic = False  # in steps, so that nobody waits for all of it

    dependencies = [("chat", "0011_keep_bytes")]

    operations = [migrations.RunPython(measure, migrations.RunPython.noop, elidable=True)]
