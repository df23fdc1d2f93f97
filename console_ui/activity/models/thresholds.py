"""From when on an organisation wants to be told."""

from __future__ import annotations

from django.db import models

from console_ui.accounts.models import Organisation


class Thresholds(models.Model):
    """``silent_days`` without a word from a device, ``full_percent`` of a vault's quota."""

    organisation = models.OneToOneField(Organisation, primary_key=True, on_delete=models.CASCADE)
    silent_days = models.PositiveSmallIntegerField(default=7)
    full_percent = models.PositiveSmallIntegerField(default=90)

    def __str__(self) -> str:
        return f"{self.silent_days} days, {self.full_percent} %"

    @classmethod
    def of(cls, organisation: Organisation) -> Thresholds:
        """The organisation's, or the usual ones."""
        found = cls.objects.filter(organisation=organisation).first()
        return found or cls(organisation=organisation)
