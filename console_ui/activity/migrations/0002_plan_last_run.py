"""Plans know their last run: each is judged for itself."""

from __future__ import annotations

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def fill(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    """As ``activity.reports`` keeps it from now on."""
    plans, runs = apps.get_model("activity", "Plan"), apps.get_model("activity", "Run")
    for plan in plans.objects.iterator():
        found = runs.objects.filter(device_id=plan.device_id, plan_key=plan.key)
        judged = found.exclude(outcome__in=("running", "stopped"))
        plan.last_run = judged.order_by("-started_at").first()
        plan.save(update_fields=["last_run"])


class Migration(migrations.Migration):
    dependencies = (("activity", "0001_first"),)
    operations = (
        migrations.AddField(
            model_name="plan",
            name="last_run",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="activity.run",
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    )
