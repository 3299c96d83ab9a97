"""The reason of a mute or ban is read by whoever it is about."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("chat", "0006_lobby")]

    operations = [
        migrations.AlterField(
            model_name="sanction",
            name="reason",
            field=models.CharField(
                blank=True, help_text="Whoever it is about reads it, and other moderators.", max_length=200
            ),
        ),
    ]
