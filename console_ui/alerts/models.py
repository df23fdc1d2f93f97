"""Alerts, who wants which, and who has seen them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from console_ui.accounts.models import Organisation, Role
from console_ui.accounts.owned import OwnedQuerySet


class AlertKind(models.TextChoices):
    """What an alert is about."""

    FAILED = "failed", _("A backup failed")
    OMISSIONS = "omissions", _("A backup finished with omissions")
    SILENT = "silent", _("A device is silent")
    VAULT_FULL = "vault_full", _("A vault is nearly full")
    DEVICE_LINKED = "device_linked", _("A device was linked")
    FACTOR_CHANGED = "factor_changed", _("Somebody's second factor changed")

    @property
    def lasts(self) -> bool:
        """Whether it is a state, which ends by itself, or something that happened once."""
        return self not in (AlertKind.DEVICE_LINKED, AlertKind.FACTOR_CHANGED)

    @property
    def role(self) -> Role:
        """Whom it concerns: this role and those above."""
        return Role.ADMIN if self is AlertKind.FACTOR_CHANGED else Role.VIEWER


OF_PLANS = (AlertKind.FAILED, AlertKind.OMISSIONS)
"""Kinds that are about one plan of a device."""


class Alert(models.Model):
    """``subject_id`` is what it is about: a device, a vault or a person, called ``subject``; where
    it is about one plan of a device, ``plan_key`` and ``plan_name`` are the plan's, else empty.

    ``number`` is a count that belongs to it (days, items, percent), ``detail`` words of a device.
    ``ended_at`` is None while it lasts.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE)
    kind = models.CharField(max_length=14, choices=AlertKind.choices)
    subject_id = models.CharField(max_length=36)
    subject = models.CharField(max_length=254)
    plan_key = models.CharField(max_length=36, blank=True)
    plan_name = models.CharField(max_length=100, blank=True)
    number = models.BigIntegerField(default=0)
    detail = models.CharField(max_length=500, blank=True)
    raised_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    # The stubs call it a plain manager; it has the query set's methods, which is what is used.
    objects: ClassVar[OwnedQuerySet[Alert]] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-raised_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("organisation", "kind", "subject_id", "plan_key"),
                condition=Q(ended_at=None),
                name="alerts_open_once",
            ),
        )
        indexes = (models.Index(fields=("organisation", "-raised_at")),)

    def __str__(self) -> str:
        return f"{self.kind}: {self.subject}"


class Wish(models.Model):
    """What one person wants to hear of one kind in one organisation; without a row, all of it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE)
    kind = models.CharField(max_length=14, choices=AlertKind.choices)
    in_console = models.BooleanField(default=True)
    by_mail = models.BooleanField(default=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user", "organisation", "kind"), name="alerts_wish_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id}: {self.kind}"


class Seen(models.Model):
    """Until when somebody has seen an organisation's alerts."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE)
    until = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("user", "organisation"), name="alerts_seen_once"),
        )

    def __str__(self) -> str:
        return f"{self.user_id} until {self.until}"
