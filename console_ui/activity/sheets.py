"""Vaults without a recovery sheet: a console that is lost would take their backups with it."""

from __future__ import annotations

from console_ui.accounts.models import Organisation
from console_ui.audit.models import Entry
from console_ui.storage.models import Vault


def vaults_without_sheet(organisation: Organisation) -> list[Vault]:
    """Those that hold something and whose sheet nobody has printed yet, by name.

    One that was printed before the console kept the vault's password lacks just that, and counts
    as none. What was printed, the audit log knows: it cannot be taken back.
    """
    filled = list(Vault.objects.of(organisation).filter(visible_bytes__gt=0))
    if not filled:
        return []
    shown = Entry.objects.of(organisation.pk).filter(action="recovery_sheet.shown")
    printed: dict[object, bool] = {}
    for details in shown.values_list("details", flat=True):
        vault = details.get("vault")
        printed[vault] = printed.get(vault, False) or bool(details.get("with_password"))
    return [vault for vault in filled if not _is_enough(printed.get(str(vault.pk)), vault)]


def _is_enough(with_password: bool | None, vault: Vault) -> bool:
    """``with_password`` is None where no sheet was printed."""
    return with_password is not None and (with_password or not vault.console_key)
