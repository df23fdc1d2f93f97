"""How much a vault may hold.

What is hidden does not count, or pruning a full vault would help only 14 days later; but all
together may not be more than twice the quota, or deleting and uploading in turn would fill the
whole location. Uploads on their way count as if they were there.

A vault that is full must still be able to be pruned, which begins with writing: packs and indexes
may, while it is being pruned, exceed both limits by 5 %, or by what a small step of a prune takes.
That is enough for one that deletes what it has emptied before it copies more, as everboot's does
where there is no room; restic has to be told. The gateway
cannot read locks, so it goes by what only a prune (or a repair of the index) does under its lock:
it lists all packs. That is noted until the vault has no lock any more. Locks themselves are
limited by their number and size instead: were there no room for one, nothing could be pruned.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Sum

from backup_agent.errors import EverbootError
from backup_agent.services.vault import FileKind, ObjectKey
from console_ui.storage import catalog
from console_ui.storage.models import State, StoredObject, Upload, Vault
from console_ui.storage.objects import BusyError

_RESERVE_PERCENT = 5
_STEP_BYTES = 64 << 20
"""Room for three of restic's packs of usual size, with trees and indexes."""
_PRUNE_IN_STEPS = (
    "A prune copies before it deletes. restic prune --max-repack-size 48M copies a little and then "
    "deletes, so run it again while it frees anything; everboot prune does so by itself. Or ask an "
    "administrator for a larger quota."
)
_MAKE_ROOM = (
    "Delete restore points and prune (everboot prune, or restic prune --max-repack-size 48M, again "
    "while it frees anything), or ask an administrator for a larger quota."
)


class QuotaExceededError(EverbootError):
    """The vault is full."""

    code = "vault.quota_exceeded"


def reserve(
    vault: Vault, key: ObjectKey, size: int, *, now: datetime, until: datetime
) -> Upload | None:
    """Keep room for an upload until it is released; None where there is no need to.

    Belongs into ``catalog.changing``. Raises ``QuotaExceededError``; ``BusyError`` for a second
    config while one is on its way, for which of them would be the first?
    """
    line = catalog.find(vault, key)
    if line is not None and line.state == State.VISIBLE and key.kind is not FileKind.CONFIG:
        return None
    Upload.objects.filter(vault=vault, ends_at__lte=now).delete()
    on_its_way = Upload.objects.filter(vault=vault, kind=key.kind.value, name=key.name)
    if key.kind is FileKind.CONFIG and on_its_way.exists():
        raise BusyError("Another config is being stored right now.", hint="Send it again.")
    _require_room(vault, key, size, line)
    return Upload.objects.create(
        vault=vault, kind=key.kind.value, name=key.name, size=size, ends_at=until
    )


def release(upload: Upload | None) -> None:
    """It is stored, or never will be."""
    if upload is not None:
        Upload.objects.filter(pk=upload.pk).delete()


def require_room_for_lock(vault: Vault, key: ObjectKey, *, most: int) -> None:
    """Raises ``QuotaExceededError`` where there are ``most`` other locks already."""
    if catalog.visible(vault, FileKind.LOCK).exclude(name=key.name).count() >= most:
        raise QuotaExceededError(
            f"The vault {vault.name} holds {most} locks or more, which is too many.",
            hint="Remove those that nobody needs any more (everboot unlock, restic unlock).",
        )


def packs_were_listed(vault: Vault, *, now: datetime) -> None:
    """Somebody who holds a lock prunes, or repairs the index."""
    if catalog.visible(vault, FileKind.LOCK).exists():
        Vault.objects.filter(pk=vault.pk).update(packs_listed_at=now)


def lock_was_removed(vault: Vault) -> None:
    """With the last lock, a prune has ended."""
    if vault.packs_listed_at and not catalog.visible(vault, FileKind.LOCK).exists():
        Vault.objects.filter(pk=vault.pk).update(packs_listed_at=None)


def _require_room(vault: Vault, key: ObjectKey, size: int, line: StoredObject | None) -> None:
    """``line``: the object, if it is hidden there."""
    if vault.quota_bytes is None:
        return
    allowed, hint = vault.quota_bytes, _MAKE_ROOM
    if key.kind in (FileKind.PACK, FileKind.INDEX) and vault.packs_listed_at is not None:
        allowed += max(vault.quota_bytes * _RESERVE_PERCENT // 100, _STEP_BYTES)
        hint = _PRUNE_IN_STEPS
    coming = size + _on_their_way(vault, key)
    if vault.visible_bytes + coming > allowed:
        raise QuotaExceededError(
            f"The vault {vault.name} is full: {vault.visible_bytes} of {vault.quota_bytes} bytes "
            f"are used, and {coming} more do not fit.",
            hint=hint,
        )
    there = vault.visible_bytes + vault.hidden_bytes - (line.size if line else 0)
    if there + coming > 2 * allowed:
        raise QuotaExceededError(
            f"The vault {vault.name} keeps {vault.hidden_bytes} deleted bytes: together with what "
            f"is not deleted, that is more than twice its quota of {vault.quota_bytes}.",
            hint="Deleted objects go 14 days after their deletion; or ask an administrator for a "
            "larger quota.",
        )


def _on_their_way(vault: Vault, key: ObjectKey) -> int:
    """Other uploads. The same object may be sent again while an attempt that broke off ends."""
    others = Upload.objects.filter(vault=vault).exclude(kind=key.kind.value, name=key.name)
    return others.aggregate(sum=Sum("size"))["sum"] or 0
