"""A vault that has been there for a year, and what devices once stored in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from django.utils import timezone
from pytest_django import Settings

from backup_agent.services.vault import FileKind
from console_ui.django_settings import console_settings
from console_ui.storage.models import LocationKind, StoredObject, Vault
from tests.console.gateways import make_location, make_vault, store_object
from tests.console.people import make_office


def make_old_vault(folder: Path, settings: Settings, **retention: int) -> Vault:
    """``retention``: what differs from keeping nothing."""
    settings.EVERBOOT = replace(console_settings(), storage_roots=(folder,))
    organisation = make_office("Keller Fontana Architects").organisation
    location = make_location(organisation, LocationKind.FOLDER, {"root": str(folder)})
    vault = make_vault(organisation, location)
    made_at = timezone.now() - timedelta(days=365)
    rules = {"keep_daily": 0, "keep_weekly": 0, "keep_monthly": 0, **retention}
    Vault.objects.filter(pk=vault.pk).update(made_at=made_at, **rules)
    vault.refresh_from_db()
    return vault


def store(
    vault: Vault, kind: FileKind, text: str, *, age: timedelta, size: int = 0
) -> StoredObject:
    """Padded to the size, in bytes."""
    return store_object(vault, kind, text.encode().ljust(size, b"."), at=timezone.now() - age)
