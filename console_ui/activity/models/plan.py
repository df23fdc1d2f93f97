"""What a device backs up, and when."""

from __future__ import annotations

import uuid

from django.db import models

from console_ui.activity.models.run import Run
from console_ui.devices.models import Device


class Plan(models.Model):
    """As the device told it last; the device decides. ``what`` is a few words for people.

    ``every_hours`` is 0 for a plan that runs only when it is asked for. ``last_run`` is the last
    one that nobody stopped: a stop by hand makes a plan neither better nor worse.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="plans")
    key = models.UUIDField()
    name = models.CharField(max_length=100)
    what = models.CharField(max_length=500, blank=True)
    every_hours = models.PositiveIntegerField(default=0)
    next_run_at = models.DateTimeField(null=True)
    last_run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(fields=("device", "key"), name="activity_plan_once"),
        )

    def __str__(self) -> str:
        return self.name
