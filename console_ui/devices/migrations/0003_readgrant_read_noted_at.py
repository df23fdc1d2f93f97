"""When a device's reading of another one's vault was last written down."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("devices", "0002_fetch_told")]

    operations = [
        migrations.AddField(
            model_name="readgrant",
            name="read_noted_at",
            field=models.DateTimeField(null=True),
        ),
    ]
