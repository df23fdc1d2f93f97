"""What is known of a device right now: one row for each, so that lists stay quick."""

from __future__ import annotations

from django.db import models

from console_ui.activity.models.run import Run
from console_ui.devices.models import Device


class Report(models.Model):
    """``changed_at`` is when anything here, or in the run that it names, was told last."""

    device = models.OneToOneField(
        Device, primary_key=True, on_delete=models.CASCADE, related_name="report"
    )
    heard_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(db_index=True)
    agent_version = models.CharField(max_length=40, blank=True)
    next_run_at = models.DateTimeField(null=True)
    running = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="+")
    last_ended = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="+")
    last_saved = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return f"report of {self.device_id}"
