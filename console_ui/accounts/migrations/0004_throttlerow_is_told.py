"""Whether somebody was told of a block, so that it is written down once."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_keep_what_passwords_open")]

    operations = [
        migrations.AddField(
            model_name="throttlerow",
            name="is_told",
            field=models.BooleanField(default=False),
        ),
    ]
