"""Links that are mailed or printed, and work once."""

from __future__ import annotations

import uuid

from django.db import models

from console_ui.accounts.models.organisation import Organisation, Role
from console_ui.accounts.models.user import User


class Purpose(models.TextChoices):
    """What somebody may do who has the link."""

    SET_UP = "set-up"
    INVITATION = "invitation"
    NEW_PASSWORD = "new-password"  # noqa: S105 (no password)
    NEW_EMAIL = "new-email"


class SecretLink(models.Model):
    """``token_hash`` is SHA-256 of 256 random bits; ``email`` is whom it was sent to."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    token_hash = models.CharField(max_length=64, unique=True)
    email = models.EmailField(blank=True)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="links")
    organisation = models.ForeignKey(Organisation, null=True, on_delete=models.CASCADE)
    role = models.CharField(max_length=10, choices=Role.choices, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.purpose} for {self.email}"
