"""Making vaults, and taking up those that lie in a location already."""

from __future__ import annotations

import uuid

from django.db import IntegrityError as DuplicateError
from django.db import transaction
from django.utils import timezone

from backup_agent.errors import UsageError
from console_ui.accounts.models import Organisation
from console_ui.audit.actor import Actor
from console_ui.audit.record import record
from console_ui.storage.deletions import KEPT_FOR
from console_ui.storage.models import Location, Vault
from console_ui.storage.reconcile import reconcile
from console_ui.storage.stores import stores


def make(
    organisation: Organisation,
    location: Location,
    *,
    name: str,
    by: Actor,
    device_id: uuid.UUID | None = None,
    quota_bytes: int | None = None,
) -> Vault:
    """A new, empty vault. Raises ``StorageError`` where the location does not let it be made."""
    vault = Vault(
        organisation=organisation,
        location=location,
        name=name,
        device_id=device_id,
        quota_bytes=quota_bytes,
        reconciled_at=timezone.now(),
    )
    stores.of(vault).prepare()
    vault.save(force_insert=True)
    _note("vault.made", vault, by)
    return vault


def take_up(
    organisation: Organisation, location: Location, vault_id: uuid.UUID, *, name: str, by: Actor
) -> Vault:
    """A vault that lies in the location, after the loss of the database. What devices had
    deleted stays hidden, by the marks beside it. Raises ``StorageError``, ``IntegrityError``, and
    ``UsageError`` for a vault that is known.
    """
    vault = Vault(
        pk=vault_id,
        organisation=organisation,
        location=location,
        name=name,
        # What was purged in its earlier life is not known any more.
        purged_until=timezone.now() - KEPT_FOR,
    )
    try:
        with transaction.atomic():
            vault.save(force_insert=True)
    except DuplicateError as exc:
        raise UsageError(
            f"The vault {vault_id} cannot be taken up: this console has it already.",
            hint="Only a vault that is in no list any more can be taken up.",
        ) from exc
    try:
        reconcile(vault, stores.of(vault), now=timezone.now())
    except BaseException:
        vault.delete()
        raise
    vault.refresh_from_db()
    _note("vault.taken_up", vault, by)
    return vault


def _note(action: str, vault: Vault, by: Actor) -> None:
    record(
        action,
        by=by,
        organisation_id=vault.organisation_id,
        about=vault.name,
        details={"vault": str(vault.pk), "location": vault.location.name},
    )
