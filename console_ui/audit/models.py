"""Two tables: the entries, and where each organisation's chain ends."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, NoReturn

from django.db import models

from backup_agent.errors import UsageError

FIRST_PREVIOUS_HASH = "0" * 64

# The chain of what belongs to no organisation: set-up, logins of unknown names.
NO_ORGANISATION = uuid.UUID(int=0)


class EntryQuerySet(models.QuerySet["Entry"]):
    """Entries may be read and added."""

    def of(self, organisation_id: uuid.UUID) -> EntryQuerySet:
        return self.filter(organisation_id=organisation_id)

    def update(self, **_values: Any) -> NoReturn:
        raise _append_only()

    def delete(self) -> NoReturn:
        raise _append_only()


class Entry(models.Model):
    """One thing that happened."""

    organisation_id = models.UUIDField(default=NO_ORGANISATION)
    sequence = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    action = models.CharField(max_length=60)
    outcome = models.CharField(max_length=10)
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=36, blank=True)
    actor_name = models.CharField(max_length=254, blank=True)
    address = models.CharField(max_length=45, blank=True)
    about = models.CharField(max_length=254, blank=True)
    details = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects: ClassVar[models.Manager[Entry]] = EntryQuerySet.as_manager()

    class Meta:
        ordering = ("-sequence",)
        constraints = (
            models.UniqueConstraint(
                fields=("organisation_id", "sequence"), name="audit_entry_once_in_chain"
            ),
        )
        indexes = (models.Index(fields=("organisation_id", "action", "-sequence")),)

    def __str__(self) -> str:
        return f"{self.sequence} {self.action} {self.outcome}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise _append_only()
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise _append_only()


class ChainEnd(models.Model):
    """The last link of one organisation's chain; locked while a link is added."""

    organisation_id = models.UUIDField(primary_key=True)
    sequence = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, default=FIRST_PREVIOUS_HASH)

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.sequence}"


def _append_only() -> UsageError:
    return UsageError(
        "The audit log can only be added to.",
        hint="A correction is an entry of its own.",
    )
