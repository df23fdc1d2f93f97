"""What devices prove themselves with: tokens handed out, and proofs that were used up."""

from __future__ import annotations

from django.db import models

from console_ui.devices.models.device import Device


class AccessToken(models.Model):
    """``token_hash`` is SHA-256 of 256 random bits."""

    token_hash = models.CharField(primary_key=True, max_length=64)
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="tokens")
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"of {self.device_id} until {self.expires_at}"


class UsedAssertion(models.Model):
    """Each proof counts once; ``key`` is SHA-256 over client and id of the proof."""

    key = models.CharField(primary_key=True, max_length=64)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key[:8]
