"""What stands on the slip of paper beside a rescue key."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from console_ui.accounts.models import Organisation


class MediaCode(models.Model):
    """``prefix`` are the code's first four characters, in clear, to find the row by."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    prefix = models.CharField(max_length=4, db_index=True)
    code_hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ("-made_at",)

    def __str__(self) -> str:
        return f"{self.prefix}-…"
