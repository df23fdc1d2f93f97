"""Which deletions of restore points an administrator expects: those their retention lets go.

The console does not read restore points; when one was stored stands for when it was made.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from backup_agent.model.ids import BlobId, SnapshotId
from backup_agent.model.retention import RetentionPolicy, plan_forget
from backup_agent.model.snapshot import Snapshot
from backup_agent.services.vault import FileKind
from console_ui.storage.models import State, StoredObject, Vault

_UNREAD = BlobId(bytes(32))


def unexpected_deletions(vault: Vault, *, since: datetime) -> list[str]:
    """The names of restore points hidden since then which the vault's retention keeps."""
    policy = RetentionPolicy(
        last=vault.keep_last,
        daily=vault.keep_daily,
        weekly=vault.keep_weekly,
        monthly=vault.keep_monthly,
    )
    if policy.is_empty:
        return []
    points = list(_points(vault, since))
    snapshots = [_as_snapshot(point) for point in points]
    newest = max((s.time for s in snapshots), default=vault.made_at)
    kept = {str(k.snapshot.id) for k in plan_forget(snapshots, policy, now=newest).keep}
    return [p.name for p in points if p.state == State.HIDDEN and p.name in kept]


def _points(vault: Vault, since: datetime) -> list[StoredObject]:
    """Those that are there, and those that were before the deletions."""
    recently = Q(state=State.VISIBLE) | Q(state=State.HIDDEN, hidden_at__gt=since)
    kind = FileKind.SNAPSHOT.value
    return list(StoredObject.objects.filter(recently, vault=vault, kind=kind))


def _as_snapshot(point: StoredObject) -> Snapshot:
    made = point.stored_at or point.vault.made_at
    return Snapshot(id=SnapshotId(point.name), time=made, tree=_UNREAD, paths=())
