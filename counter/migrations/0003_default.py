"""A new site has the counter that its menu leads to; whoever deletes it is rid of it."""

from typing import Any

from django.db import migrations


def make(apps: Any, schema_editor: Any) -> None:
    counters = apps.get_model("counter", "Counter")._default_manager.using(schema_editor.connection.alias)
    if not counters.exists():  # with others it is a site in use, which has made do without
        counters.create(name="default")


class Migration(migrations.Migration):
    dependencies = [("counter", "0002_access")]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
