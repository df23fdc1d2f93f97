"""Which session has unlocked which vault."""

from __future__ import annotations

import uuid

from django.db import models

from console_ui.accounts.models import SessionRow, User
from console_ui.sealing import keyed_hash
from console_ui.storage.models import Vault


class UnlockedVault(models.Model):
    """A process holds the vault's key; this row says whose it is, and nothing that opens it.

    ``id`` names the process's socket. It goes with the session, and the process with it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(SessionRow, on_delete=models.CASCADE, related_name="+")
    vault = models.ForeignKey(Vault, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    unlocked_at = models.DateTimeField()
    used_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("session", "vault"), name="restore_unlocked_once"),
        )

    def __str__(self) -> str:
        return f"{self.vault_id} by {self.user_id}"

    @property
    def secret(self) -> str:
        """What the process wants to hear. Made anew each time, so that no table holds it."""
        return keyed_hash(self.id.hex, context="unlocked-vault")

    @property
    def token(self) -> str:
        """What the process shows to the gateway."""
        return f"{self.id.hex}.{keyed_hash(self.id.hex, context='unlocked-vault-token')}"
