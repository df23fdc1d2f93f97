"""One run of a plan on a device."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from console_ui.devices.models import Device


class Outcome(models.TextChoices):
    """How a run ended, or that it has not."""

    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    INCOMPLETE = "incomplete", _("Finished with omissions")
    FAILED = "failed", _("Failed")
    STOPPED = "stopped", _("Stopped")
    BROKEN_OFF = "broken_off", _("Broken off")


WITHOUT_VERDICT = (Outcome.RUNNING, Outcome.STOPPED)
"""Outcomes that say nothing of how well a plan is kept."""


class Run(models.Model):
    """``key`` is the device's own name for it. Bytes are those of the source, ``bytes_added``
    what was new of them, before compression.

    ``omissions`` holds the first hundred of ``omitted``, as ``{"path", "reason"}``. Progress is
    what the device told last, at ``progress_at``.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="runs")
    key = models.UUIDField()
    plan_key = models.UUIDField(null=True)
    plan_name = models.CharField(max_length=100, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.RUNNING)
    files = models.BigIntegerField(default=0)
    bytes_read = models.BigIntegerField(default=0)
    bytes_added = models.BigIntegerField(default=0)
    omitted = models.BigIntegerField(default=0)
    omissions = models.JSONField(default=list)
    message = models.CharField(max_length=500, blank=True)
    hint = models.CharField(max_length=500, blank=True)

    phase = models.CharField(max_length=40, blank=True)
    files_done = models.BigIntegerField(default=0)
    files_total = models.BigIntegerField(default=0)
    bytes_done = models.BigIntegerField(default=0)
    bytes_total = models.BigIntegerField(default=0)
    progress_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-started_at",)
        constraints = (models.UniqueConstraint(fields=("device", "key"), name="activity_run_once"),)
        indexes = (models.Index(fields=("device", "-started_at")),)

    def __str__(self) -> str:
        return f"{self.plan_name} at {self.started_at:%Y-%m-%d %H:%M} ({self.outcome})"

    @property
    def is_running(self) -> bool:
        return self.outcome == Outcome.RUNNING

    @property
    def has_saved(self) -> bool:
        """Whether it left a restore point."""
        return self.outcome in (Outcome.DONE, Outcome.INCOMPLETE)
