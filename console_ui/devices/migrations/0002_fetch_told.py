"""When the owners were told that a device fetches a password."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("devices", "0001_first"),)

    operations = [
        migrations.AddField(
            model_name="readgrant",
            name="told_address",
            field=models.CharField(blank=True, max_length=45),
        ),
        migrations.AddField(
            model_name="readgrant",
            name="told_at",
            field=models.DateTimeField(null=True),
        ),
    ]
