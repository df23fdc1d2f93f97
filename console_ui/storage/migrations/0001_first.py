"""The first tables."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_first"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Lease",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("holder", models.CharField(max_length=64)),
                ("ends_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Location",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("s3", "S3"),
                            ("swift", "OpenStack Swift"),
                            ("webdav", "WebDAV"),
                            ("folder", "Folder on the console's host"),
                        ],
                        max_length=6,
                    ),
                ),
                ("settings", models.JSONField(default=dict)),
                ("sealed_secrets", models.BinaryField()),
                ("gives_read_addresses", models.BooleanField(default=False)),
                ("added_at", models.DateTimeField(auto_now_add=True)),
                ("tested_at", models.DateTimeField(null=True)),
                ("test_failure", models.CharField(blank=True, max_length=300)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="accounts.organisation"
                    ),
                ),
            ],
            options={
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="Vault",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                ("device_id", models.UUIDField(null=True, unique=True)),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("quota_bytes", models.PositiveBigIntegerField(null=True)),
                ("visible_bytes", models.BigIntegerField(default=0)),
                ("hidden_bytes", models.BigIntegerField(default=0)),
                ("console_key", models.CharField(blank=True, max_length=64)),
                ("keep_last", models.PositiveSmallIntegerField(default=0)),
                ("keep_daily", models.PositiveSmallIntegerField(default=0)),
                ("keep_weekly", models.PositiveSmallIntegerField(default=0)),
                ("keep_monthly", models.PositiveSmallIntegerField(default=0)),
                ("packs_listed_at", models.DateTimeField(null=True)),
                ("bringing_back_to", models.DateTimeField(null=True)),
                ("reconciled_at", models.DateTimeField(null=True)),
                (
                    "location",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="vaults",
                        to="storage.location",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="accounts.organisation"
                    ),
                ),
            ],
            options={
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="StoredObject",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=9)),
                ("name", models.CharField(blank=True, max_length=64)),
                ("size", models.BigIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("visible", "Visible"),
                            ("hidden", "Hidden"),
                            ("purging", "Purging"),
                        ],
                        default="visible",
                        max_length=7,
                    ),
                ),
                ("stored_at", models.DateTimeField(null=True)),
                ("hidden_at", models.DateTimeField(null=True)),
                (
                    "vault",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="stored_objects",
                        to="storage.vault",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Alarm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("retention", "Restore points were deleted that the retention keeps."),
                            (
                                "points",
                                "More than a fifth of the restore points was deleted in a day.",
                            ),
                            ("data", "More than a fifth of the data was deleted in a day."),
                            (
                                "key",
                                "A key was deleted: one password opens the vault no more.",
                            ),
                        ],
                        max_length=9,
                    ),
                ),
                ("raised_at", models.DateTimeField()),
                ("confirmed_at", models.DateTimeField(null=True)),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "vault",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="alarms",
                        to="storage.vault",
                    ),
                ),
            ],
            options={
                "ordering": ("-raised_at",),
            },
        ),
        migrations.AddConstraint(
            model_name="location",
            constraint=models.UniqueConstraint(
                fields=("organisation", "name"), name="storage_location_name_once"
            ),
        ),
        migrations.AddIndex(
            model_name="storedobject",
            index=models.Index(
                fields=["vault", "state", "hidden_at"], name="storage_sto_vault_i_1187aa_idx"
            ),
        ),
        migrations.AddIndex(
            model_name="storedobject",
            index=models.Index(
                fields=["vault", "kind", "state"], name="storage_sto_vault_i_ccffe4_idx"
            ),
        ),
        migrations.AddConstraint(
            model_name="storedobject",
            constraint=models.UniqueConstraint(
                fields=("vault", "kind", "name"), name="storage_object_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="alarm",
            constraint=models.UniqueConstraint(
                condition=models.Q(("confirmed_at", None)),
                fields=("vault",),
                name="storage_alarm_one_open",
            ),
        ),
    ]
