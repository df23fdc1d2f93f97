"""When something that is visible again was hidden last: by that, marks that the database does not
know are told from those that a crash has left behind.
"""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("storage", "0004_alarm_words"),)

    operations = (
        migrations.AddField(
            model_name="storedobject",
            name="was_hidden_at",
            field=models.DateTimeField(null=True),
        ),
    )
