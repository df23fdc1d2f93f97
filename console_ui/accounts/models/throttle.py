"""How often something was tried."""

from __future__ import annotations

from django.db import models


class ThrottleRow(models.Model):
    """``key`` is a hash of rule and subject: what people type in error is not kept.

    ``is_told``: somebody was turned away by this block already.
    """

    key = models.CharField(primary_key=True, max_length=64)
    attempts = models.PositiveIntegerField(default=0)
    window_ends_at = models.DateTimeField()
    blocked_until = models.DateTimeField(null=True)
    is_told = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.attempts} attempts"
