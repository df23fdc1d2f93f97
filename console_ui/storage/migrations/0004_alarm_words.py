"""What an alarm's reason is called, now that deletions of many days are added up."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("storage", "0003_alarms"),)

    operations = (
        migrations.AlterField(
            model_name="alarm",
            name="reason",
            field=models.CharField(
                choices=[
                    ("retention", "Restore points were deleted that the retention keeps."),
                    ("points", "Many restore points were deleted that were there together."),
                    ("data", "Much of the data was deleted, or replaced by other data."),
                    ("index", "Index files were deleted, and no new ones took their place."),
                    ("key", "A key was deleted: one password opens the vault no more."),
                ],
                max_length=9,
            ),
        ),
    )
