"""Passwords for programs."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from console_ui.accounts.models.organisation import Organisation
from console_ui.accounts.models.user import User


class Scope(models.TextChoices):
    """What a program may use with an application password."""

    API = "api", _("The console's API")
    STORAGE = "storage", _("Backups through the storage gateway")
    STORAGE_READ = "storage-read", _("Reading backups only")


class ApplicationPassword(models.Model):
    """``secret_hash`` is SHA-256: the password has 150 random bits, so no slow hash is needed.

    One that opens storage opens only what its ``reaches`` name.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="application_passwords")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE)
    name = models.CharField(max_length=60)
    secret_hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField()
    made_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-made_at",)

    def __str__(self) -> str:
        return self.name

    @property
    def scope_labels(self) -> list[str]:
        return [str(Scope(name).label) for name in self.scopes]


class Reach(models.Model):
    """The password opens the storage of ``target_id``: that of a device as long as it is linked,
    or a vault that belongs to no linked device.
    """

    password = models.ForeignKey(
        ApplicationPassword, on_delete=models.CASCADE, related_name="reaches"
    )
    target_id = models.UUIDField(db_index=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("password", "target_id"), name="accounts_reach_once"),
        )

    def __str__(self) -> str:
        return f"{self.password_id} reaches {self.target_id}"
