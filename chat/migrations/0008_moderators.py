"""A new site has the group *Moderators*, who keep order in rooms that they may read. Changed or deleted, it stays so."""

from typing import Any

from django.db import migrations

GROUP = "Moderators"
PERMISSIONS = (
    ("room", "moderate_room", "Can delete anyone's messages, mute and ban people"),
    ("room", "view_room", "Can view room"),
    ("message", "view_message", "Can view message"),
    ("sanction", "view_sanction", "Can view mute or ban"),
)


def make(apps: Any, schema_editor: Any) -> None:
    def rows(app_label: str, model: str) -> Any:
        return apps.get_model(app_label, model)._default_manager.using(schema_editor.connection.alias)

    group, made = rows("auth", "Group").get_or_create(name=GROUP)
    if not made:  # a team's own, whose people were not chosen to moderate
        return
    for model, codename, name in PERMISSIONS:
        # Django makes types and permissions after all migrations, and takes what is there by then.
        kind, _ = rows("contenttypes", "ContentType").get_or_create(app_label="chat", model=model)
        found, _ = rows("auth", "Permission").get_or_create(
            content_type=kind, codename=codename, defaults={"name": name}
        )
        group.permissions.add(found)


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0007_reason"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
