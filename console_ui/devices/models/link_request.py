"""A device that asks to be linked, and what a person answered."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models

from backup_agent.services.link.assertion import short_fingerprint
from console_ui.accounts.models import Organisation
from console_ui.devices.models.device import Kind


class Answer(models.TextChoices):
    """How far a request has come."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    REDEEMED = "redeemed"


class LinkRequest(models.Model):
    """``organisation`` is who answered, or before that whom a media code addresses it to.

    ``interval`` is how many seconds the device must leave between two polls. ``source_ids``
    are the devices whose vaults it may read once it is linked.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user_code_hash = models.CharField(max_length=64, unique=True)
    device_code_hash = models.CharField(max_length=64, unique=True)
    client_id = models.CharField(max_length=64)
    public_key = models.BinaryField(max_length=32)
    name = models.CharField(max_length=100)
    system = models.CharField(max_length=100, blank=True)
    address = models.CharField(max_length=45, blank=True)
    wish = models.CharField(max_length=7, choices=Kind.choices)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    interval = models.PositiveSmallIntegerField()
    polled_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=8, choices=Answer.choices, default=Answer.WAITING)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+"
    )
    organisation = models.ForeignKey(Organisation, null=True, on_delete=models.CASCADE)
    kind = models.CharField(max_length=7, choices=Kind.choices, blank=True)
    source_ids = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"{self.name} ({self.answer})"

    @property
    def short_key(self) -> str:
        return short_fingerprint(self.client_id)

    def minutes_left(self, now: datetime) -> int:
        """At least 1 while it is valid."""
        return max(1, round((self.expires_at - now).total_seconds() / 60))
