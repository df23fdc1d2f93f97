"""A linked computer, and what it may read."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backup_agent.services.link.assertion import short_fingerprint
from console_ui.accounts.models import Organisation
from console_ui.accounts.owned import OwnedQuerySet


class Kind(models.TextChoices):
    """What a device was linked for."""

    BACKUP = "backup", _("Back up")
    RESTORE = "restore", _("Restore only")


class DeviceQuerySet(OwnedQuerySet["Device"]):
    """Devices, of one organisation or in some state."""

    def linked(self, now: datetime) -> DeviceQuerySet:
        """Neither removed nor at the end of their time."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


class Device(models.Model):
    """``client_id`` is the SHA-256 of the device's ``public_key``: it names the key for good.

    ``expires_at`` is None for devices that stay until somebody removes them. A removed one
    keeps its row, because restore points and audit entries go on telling of it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE)
    name = models.CharField(max_length=100)
    system = models.CharField(max_length=100, blank=True)
    kind = models.CharField(max_length=7, choices=Kind.choices)
    client_id = models.CharField(max_length=64, unique=True)
    public_key = models.BinaryField(max_length=32)
    linked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    linked_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    seen_address = models.CharField(max_length=45, blank=True)
    revoked_at = models.DateTimeField(null=True)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        ordering = ("name", "linked_at")

    def __str__(self) -> str:
        return self.name

    @property
    def short_key(self) -> str:
        return short_fingerprint(self.client_id)

    @property
    def backs_up(self) -> bool:
        return self.kind == Kind.BACKUP

    def is_linked(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


class ReadGrant(models.Model):
    """Until ``expires_at``, ``reader`` may read the vault of ``source``, and nothing else there
    but to make and delete locks and to fetch a managed password. ``told_at``: when the owners
    were last told that it did so, from ``told_address``. ``read_noted_at``: when reading was last
    written down.
    """

    reader = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="grants")
    source = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    told_address = models.CharField(max_length=45, blank=True)
    read_noted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("reader", "source"), name="devices_grant_once"),
        )

    def __str__(self) -> str:
        return f"{self.reader_id} reads {self.source_id}"
