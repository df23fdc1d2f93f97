"""The first tables of what devices report."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_first"),
        ("devices", "0001_first"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Thresholds",
            fields=[
                (
                    "organisation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="accounts.organisation",
                    ),
                ),
                ("silent_days", models.PositiveSmallIntegerField(default=7)),
                ("full_percent", models.PositiveSmallIntegerField(default=90)),
            ],
        ),
        migrations.CreateModel(
            name="Run",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("key", models.UUIDField()),
                ("plan_key", models.UUIDField(null=True)),
                ("plan_name", models.CharField(blank=True, max_length=100)),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("done", "Done"),
                            ("incomplete", "Finished with omissions"),
                            ("failed", "Failed"),
                            ("stopped", "Stopped"),
                            ("broken_off", "Broken off"),
                        ],
                        default="running",
                        max_length=10,
                    ),
                ),
                ("files", models.BigIntegerField(default=0)),
                ("bytes_read", models.BigIntegerField(default=0)),
                ("bytes_added", models.BigIntegerField(default=0)),
                ("omitted", models.BigIntegerField(default=0)),
                ("omissions", models.JSONField(default=list)),
                ("message", models.CharField(blank=True, max_length=500)),
                ("hint", models.CharField(blank=True, max_length=500)),
                ("phase", models.CharField(blank=True, max_length=40)),
                ("files_done", models.BigIntegerField(default=0)),
                ("files_total", models.BigIntegerField(default=0)),
                ("bytes_done", models.BigIntegerField(default=0)),
                ("bytes_total", models.BigIntegerField(default=0)),
                ("progress_at", models.DateTimeField(null=True)),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="runs",
                        to="devices.device",
                    ),
                ),
            ],
            options={
                "ordering": ("-started_at",),
            },
        ),
        migrations.CreateModel(
            name="Report",
            fields=[
                (
                    "device",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="report",
                        serialize=False,
                        to="devices.device",
                    ),
                ),
                ("heard_at", models.DateTimeField(null=True)),
                ("changed_at", models.DateTimeField(db_index=True)),
                ("agent_version", models.CharField(blank=True, max_length=40)),
                ("next_run_at", models.DateTimeField(null=True)),
                (
                    "last_ended",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="activity.run",
                    ),
                ),
                (
                    "last_saved",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="activity.run",
                    ),
                ),
                (
                    "running",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="activity.run",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Command",
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
                        choices=[("back_up", "Back up now"), ("stop", "Stop")], max_length=7
                    ),
                ),
                ("plan_key", models.UUIDField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting for the device"),
                            ("taken", "Taken"),
                            ("done", "Done"),
                            ("refused", "Refused"),
                        ],
                        default="waiting",
                        max_length=7,
                    ),
                ),
                ("message", models.CharField(blank=True, max_length=500)),
                ("asked_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="commands",
                        to="devices.device",
                    ),
                ),
            ],
            options={
                "ordering": ("-asked_at",),
                "indexes": [
                    models.Index(
                        fields=["state", "expires_at"], name="activity_co_state_aa79a4_idx"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Plan",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("key", models.UUIDField()),
                ("name", models.CharField(max_length=100)),
                ("what", models.CharField(blank=True, max_length=500)),
                ("every_hours", models.PositiveIntegerField(default=0)),
                ("next_run_at", models.DateTimeField(null=True)),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="plans",
                        to="devices.device",
                    ),
                ),
            ],
            options={
                "ordering": ("name",),
                "constraints": [
                    models.UniqueConstraint(fields=("device", "key"), name="activity_plan_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="RestorePoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("snapshot", models.CharField(max_length=64)),
                ("made_at", models.DateTimeField()),
                ("kind", models.CharField(max_length=5)),
                ("paths", models.JSONField(default=list)),
                ("size", models.BigIntegerField(default=0)),
                ("added", models.BigIntegerField(default=0)),
                ("omitted", models.BigIntegerField(default=0)),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="restore_points",
                        to="devices.device",
                    ),
                ),
            ],
            options={
                "ordering": ("-made_at",),
                "indexes": [
                    models.Index(
                        fields=["device", "-made_at"], name="activity_re_device__c9e9dc_idx"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("device", "snapshot"), name="activity_point_once"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                fields=["device", "-started_at"], name="activity_ru_device__8e61b0_idx"
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.UniqueConstraint(fields=("device", "key"), name="activity_run_once"),
        ),
    ]
