"""Codes of the future that somebody was told about, so that they are good for nothing."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_throttlerow_is_told")]

    operations = [
        migrations.AddField(
            model_name="authenticatorapp",
            name="told_steps",
            field=models.JSONField(default=list),
        ),
    ]
