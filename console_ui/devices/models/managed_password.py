"""A password of a vault that its owner lets the console keep."""

from __future__ import annotations

from django.db import models

from console_ui.devices.models.device import Device


class ManagedPassword(models.Model):
    """``sealed`` under the key file. It belongs to a restic key of its own in the vault."""

    device = models.OneToOneField(
        Device, on_delete=models.CASCADE, primary_key=True, related_name="managed_password"
    )
    sealed = models.BinaryField()
    kept_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"of {self.device_id}"
