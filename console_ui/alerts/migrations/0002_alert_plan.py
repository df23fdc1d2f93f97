"""Alerts about backups are about one plan: another plan's success does not end them."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_OUTCOMES = {"failed": ("failed", "broken_off"), "omissions": ("incomplete",)}


def find_plans(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Those that last are about the plan whose run ended like that last."""
    runs = apps.get_model("activity", "Run").objects
    lasting = apps.get_model("alerts", "Alert").objects.filter(ended_at=None)
    for alert in lasting.filter(kind__in=_OUTCOMES):
        ended = runs.filter(device_id=alert.subject_id, outcome__in=_OUTCOMES[alert.kind])
        run = ended.exclude(plan_key=None).order_by("-started_at").first()
        if run is not None:
            alert.plan_key, alert.plan_name = str(run.plan_key), run.plan_name
            alert.save(update_fields=["plan_key", "plan_name"])


class Migration(migrations.Migration):
    dependencies = (("alerts", "0001_first"), ("activity", "0002_plan_last_run"))
    operations = (
        migrations.AddField(
            model_name="alert",
            name="plan_key",
            field=models.CharField(blank=True, default="", max_length=36),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="alert",
            name="plan_name",
            field=models.CharField(blank=True, default="", max_length=100),
            preserve_default=False,
        ),
        migrations.RemoveConstraint(model_name="alert", name="alerts_open_once"),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("organisation", "kind", "subject_id", "plan_key"),
                name="alerts_open_once",
            ),
        ),
        migrations.RunPython(find_plans, migrations.RunPython.noop),
    )
