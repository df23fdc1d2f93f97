"""What a device said of a restore point when it made it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Exists, OuterRef

from backup_agent.services.vault import FileKind
from console_ui.devices.models import Device
from console_ui.storage.models import State, StoredObject


class RestorePointQuerySet(models.QuerySet["RestorePoint"]):
    """Restore points, some of which may be gone by now."""

    def in_vault(self) -> RestorePointQuerySet:
        """Those that still lie in the device's vault: the catalog knows what was forgotten."""
        kept = StoredObject.objects.filter(
            vault__device_id=OuterRef("device_id"),
            kind=FileKind.SNAPSHOT.value,
            name=OuterRef("snapshot"),
            state=State.VISIBLE,
        )
        return self.filter(Exists(kept))


class RestorePoint(models.Model):
    """``snapshot`` is the name of its file in the vault, 64 hexadecimal digits. ``size`` and
    ``added`` are bytes of the source.
    """

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="restore_points")
    snapshot = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    kind = models.CharField(max_length=5)
    paths = models.JSONField(default=list)
    size = models.BigIntegerField(default=0)
    added = models.BigIntegerField(default=0)
    omitted = models.BigIntegerField(default=0)

    # The stubs call it a plain manager; it has the query set's methods, which is what is used.
    objects: ClassVar[RestorePointQuerySet] = RestorePointQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-made_at",)
        constraints = (
            models.UniqueConstraint(fields=("device", "snapshot"), name="activity_point_once"),
        )
        indexes = (models.Index(fields=("device", "-made_at")),)

    def __str__(self) -> str:
        return self.snapshot[:8]
