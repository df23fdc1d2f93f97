"""The first tables of alerts."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0004_throttlerow_is_told"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Alert",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("failed", "A backup failed"),
                            ("omissions", "A backup finished with omissions"),
                            ("silent", "A device is silent"),
                            ("vault_full", "A vault is nearly full"),
                            ("device_linked", "A device was linked"),
                            ("factor_changed", "Somebody's second factor changed"),
                        ],
                        max_length=14,
                    ),
                ),
                ("subject_id", models.CharField(max_length=36)),
                ("subject", models.CharField(max_length=254)),
                ("number", models.BigIntegerField(default=0)),
                ("detail", models.CharField(blank=True, max_length=500)),
                ("raised_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="accounts.organisation"
                    ),
                ),
            ],
            options={
                "ordering": ("-raised_at",),
                "indexes": [
                    models.Index(
                        fields=["organisation", "-raised_at"], name="alerts_aler_organis_877c2e_idx"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("organisation", "kind", "subject_id"),
                        name="alerts_open_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Seen",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("until", models.DateTimeField()),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="accounts.organisation"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "organisation"), name="alerts_seen_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Wish",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("failed", "A backup failed"),
                            ("omissions", "A backup finished with omissions"),
                            ("silent", "A device is silent"),
                            ("vault_full", "A vault is nearly full"),
                            ("device_linked", "A device was linked"),
                            ("factor_changed", "Somebody's second factor changed"),
                        ],
                        max_length=14,
                    ),
                ),
                ("in_console", models.BooleanField(default=True)),
                ("by_mail", models.BooleanField(default=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="accounts.organisation"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "organisation", "kind"), name="alerts_wish_once"
                    )
                ],
            },
        ),
    ]
