"""Retention for vaults that have none, and since when each can be brought back."""

from __future__ import annotations

from datetime import timedelta

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone

_KEPT_FOR = timedelta(days=14)


def retain_by_default(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    vaults = apps.get_model("storage", "Vault").objects
    vaults.filter(keep_last=0, keep_daily=0, keep_weekly=0, keep_monthly=0).update(
        keep_daily=7, keep_weekly=4, keep_monthly=12
    )


def tell_what_may_be_purged(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    """An open alarm has stopped purging; everywhere else 14 days are what there is."""
    alarms = apps.get_model("storage", "Alarm").objects
    for vault in apps.get_model("storage", "Vault").objects.all():
        open_alarm = alarms.filter(vault=vault, confirmed_at=None).first()
        until = (open_alarm.raised_at if open_alarm else timezone.now()) - _KEPT_FOR
        if until > vault.made_at:
            vault.purged_until = until
            vault.save(update_fields=["purged_until"])


class Migration(migrations.Migration):
    dependencies = (("storage", "0002_uploads"),)

    operations = (
        migrations.AddField(
            model_name="vault",
            name="brought_back_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="vault",
            name="purged_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="alarm",
            name="reason",
            field=models.CharField(
                choices=[
                    ("retention", "Restore points were deleted that the retention keeps."),
                    ("points", "More than a fifth of the restore points was deleted in a day."),
                    ("data", "More than a fifth of the data was deleted in a day."),
                    ("index", "Index files were deleted, and no new ones took their place."),
                    ("key", "A key was deleted: one password opens the vault no more."),
                ],
                max_length=9,
            ),
        ),
        migrations.AlterField(
            model_name="vault",
            name="keep_daily",
            field=models.PositiveSmallIntegerField(default=7),
        ),
        migrations.AlterField(
            model_name="vault",
            name="keep_monthly",
            field=models.PositiveSmallIntegerField(default=12),
        ),
        migrations.AlterField(
            model_name="vault",
            name="keep_weekly",
            field=models.PositiveSmallIntegerField(default=4),
        ),
        migrations.AddIndex(
            model_name="storedobject",
            index=models.Index(
                fields=["vault", "stored_at"], name="storage_sto_vault_i_6dfc40_idx"
            ),
        ),
        migrations.RunPython(retain_by_default, migrations.RunPython.noop),
        migrations.RunPython(tell_what_may_be_purged, migrations.RunPython.noop),
    )
