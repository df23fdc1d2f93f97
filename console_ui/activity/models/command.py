"""What somebody asks of a device."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from console_ui.devices.models import Device


class CommandKind(models.TextChoices):
    """What it is asked to do."""

    BACK_UP = "back_up", _("Back up now")
    STOP = "stop", _("Stop")


class CommandState(models.TextChoices):
    """How far it is. What became of a backup, its run tells."""

    WAITING = "waiting", _("Waiting for the device")
    TAKEN = "taken", _("Taken")
    REFUSED = "refused", _("Refused")


class Command(models.Model):
    """``plan_key`` None: the device's only (or first) plan. After ``expires_at`` no device is
    told any more: who is back from holidays does not want the wishes of three weeks ago.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="commands")
    kind = models.CharField(max_length=7, choices=CommandKind.choices)
    plan_key = models.UUIDField(null=True)
    state = models.CharField(
        max_length=7, choices=CommandState.choices, default=CommandState.WAITING
    )
    message = models.CharField(max_length=500, blank=True)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ("-asked_at",)
        indexes = (models.Index(fields=("state", "expires_at")),)

    def __str__(self) -> str:
        return f"{self.kind} for {self.device_id}"
