"""Vaults without a recovery sheet: a console that is lost would take their backups with it."""

from __future__ import annotations

from console_ui.accounts.models import Organisation
from console_ui.audit.models import Entry
from console_ui.devices.models import ManagedPassword
from console_ui.storage.models import Vault


def vaults_without_sheet(organisation: Organisation) -> list[Vault]:
    """Those that hold something and that no sheet opens which was printed so far, by name.

    A sheet with a password opens its vault as long as the console keeps that very password; one
    without, as long as it keeps none. What was printed, the audit log knows: it cannot be taken
    back.
    """
    filled = list(Vault.objects.of(organisation).filter(visible_bytes__gt=0))
    if not filled:
        return []
    shown = Entry.objects.of(organisation.pk).filter(action="recovery_sheet.shown")
    printed: dict[object, list[Entry]] = {}
    for entry in shown:
        printed.setdefault(entry.details.get("vault"), []).append(entry)
    return [
        vault
        for vault in filled
        if not any(_opens(sheet, vault) for sheet in printed.get(str(vault.pk), ()))
    ]


def _opens(sheet: Entry, vault: Vault) -> bool:
    if "key" in sheet.details:
        return bool(sheet.details["key"] == vault.console_key)
    # Printed before sheets named the key whose password they hold.
    if not sheet.details.get("with_password") or not vault.console_key:
        return bool(sheet.details.get("with_password")) == bool(vault.console_key)
    kept = ManagedPassword.objects.filter(device=vault.device_id).first()
    return kept is not None and kept.kept_at <= sheet.at
