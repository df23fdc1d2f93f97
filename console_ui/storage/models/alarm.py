"""What stops a vault from being purged until a person has looked."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from console_ui.storage.models.vault import Vault


class Reason(models.TextChoices):
    """What was hidden that nobody is expected to delete."""

    RETENTION = "retention", _("Restore points were deleted that the retention keeps.")
    MANY_POINTS = "points", _("Many restore points were deleted that were there together.")
    MUCH_DATA = "data", _("Much of the data was deleted, or replaced by other data.")
    INDEX = "index", _("Index files were deleted, and no new ones took their place.")
    KEY = "key", _("A key was deleted: one password opens the vault no more.")


class Alarm(models.Model):
    """Open until confirmed; there is at most one open in a vault."""

    vault = models.ForeignKey(Vault, on_delete=models.CASCADE, related_name="alarms")
    reason = models.CharField(max_length=9, choices=Reason.choices)
    raised_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ("-raised_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("vault",),
                condition=models.Q(confirmed_at=None),
                name="storage_alarm_one_open",
            ),
        )

    def __str__(self) -> str:
        return f"{self.reason} in {self.vault_id}"
