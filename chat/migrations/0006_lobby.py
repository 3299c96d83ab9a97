"""A new site has the room that its home page leads to; whoever deletes it is rid of it."""

from typing import Any

from django.db import migrations


def make(apps: Any, schema_editor: Any) -> None:
    rooms = apps.get_model("chat", "Room")._default_manager.using(schema_editor.connection.alias)
    if not rooms.exists():  # with others it is a site in use, which has made do without
        rooms.create(name="lobby")


class Migration(migrations.Migration):
    dependencies = [("chat", "0005_admin_log")]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
