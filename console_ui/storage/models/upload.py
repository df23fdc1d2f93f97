"""Room that is kept for an upload on its way."""

from __future__ import annotations

from django.db import models

from console_ui.storage.models.vault import Vault


class Upload(models.Model):
    """``size`` bytes of a vault's quota, kept until the upload is stored or has failed; after
    ``ends_at`` nobody is at work on it any more (the console died).
    """

    vault = models.ForeignKey(Vault, on_delete=models.CASCADE, related_name="uploads")
    kind = models.CharField(max_length=9)
    name = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField()
    ends_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"
