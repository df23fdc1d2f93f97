"""The catalog's lines."""

from __future__ import annotations

from django.db import models

from backup_agent.services.vault import FileKind, ObjectKey
from console_ui.storage.models.vault import Vault


class State(models.TextChoices):
    """What devices see of an object; only a hidden one is ever purged."""

    VISIBLE = "visible"
    HIDDEN = "hidden"
    PURGING = "purging"


class StoredObject(models.Model):
    """One object of a vault. ``kind`` is a ``FileKind``'s value; ``size`` is in bytes.

    ``stored_at`` is None for what was there before the console knew of it. ``was_hidden_at``: when
    something that is visible again was hidden last.
    """

    vault = models.ForeignKey(Vault, on_delete=models.CASCADE, related_name="stored_objects")
    kind = models.CharField(max_length=9)
    name = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField()
    state = models.CharField(max_length=7, choices=State.choices, default=State.VISIBLE)
    stored_at = models.DateTimeField(null=True)
    hidden_at = models.DateTimeField(null=True)
    was_hidden_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("vault", "kind", "name"), name="storage_object_once"),
        )
        indexes = (
            models.Index(fields=("vault", "state", "hidden_at")),
            models.Index(fields=("vault", "kind", "state")),
            models.Index(fields=("vault", "stored_at")),
        )

    def __str__(self) -> str:
        return self.key.path

    @property
    def key(self) -> ObjectKey:
        return ObjectKey(FileKind(self.kind), self.name)
