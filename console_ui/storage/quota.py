"""How much a vault may hold.

What is hidden does not count, or pruning a full vault would help only 14 days later; but there
may not be more of it than the quota again, or deleting and uploading in turn would fill the
whole location.

A vault that is full must still be able to be pruned, which begins with writing: locks always,
packs and indexes while it is being pruned, may exceed the quota by 5 %. The gateway cannot read
locks, so it goes by what only a prune (or a repair of the index) does under its lock: it lists
all packs. That is noted until the vault has no lock any more.
"""

from __future__ import annotations

from datetime import datetime

from backup_agent.errors import EverbootError
from backup_agent.services.vault import FileKind
from console_ui.storage import catalog
from console_ui.storage.models import Vault

_RESERVE_PERCENT = 5


class QuotaExceededError(EverbootError):
    """The vault is full."""

    code = "vault.quota_exceeded"


def require_room(vault: Vault, kind: FileKind, size: int) -> None:
    """Raises ``QuotaExceededError`` where so many more bytes are too many."""
    if vault.quota_bytes is None:
        return
    allowed = vault.quota_bytes
    if _may_use_reserve(vault, kind):
        allowed += vault.quota_bytes * _RESERVE_PERCENT // 100
    if vault.visible_bytes + size > allowed:
        raise QuotaExceededError(
            f"The vault {vault.name} is full: {vault.visible_bytes} of {vault.quota_bytes} bytes "
            f"are used, and {size} more do not fit.",
            hint="Delete restore points and prune, or ask an administrator for a larger quota.",
        )
    if vault.hidden_bytes > vault.quota_bytes and kind is not FileKind.LOCK:
        raise QuotaExceededError(
            f"The vault {vault.name} keeps {vault.hidden_bytes} deleted bytes, which is more than "
            f"its quota of {vault.quota_bytes}.",
            hint="Deleted objects go 14 days after their deletion; or ask an administrator for a "
            "larger quota.",
        )


def packs_were_listed(vault: Vault, *, now: datetime) -> None:
    """Somebody who holds a lock prunes, or repairs the index."""
    if catalog.visible(vault, FileKind.LOCK).exists():
        Vault.objects.filter(pk=vault.pk).update(packs_listed_at=now)


def lock_was_removed(vault: Vault) -> None:
    """With the last lock, a prune has ended."""
    if vault.packs_listed_at and not catalog.visible(vault, FileKind.LOCK).exists():
        Vault.objects.filter(pk=vault.pk).update(packs_listed_at=None)


def _may_use_reserve(vault: Vault, kind: FileKind) -> bool:
    if kind is FileKind.LOCK:
        return True
    return kind in (FileKind.PACK, FileKind.INDEX) and vault.packs_listed_at is not None
