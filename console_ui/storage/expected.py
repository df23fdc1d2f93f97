"""Which deletions of restore points an administrator expects: those their retention lets go.

The console does not read restore points; when one was stored stands for when it was made. And
it knows no time zones: where the device's day ends before or after its own, the device keeps
another restore point of the same night, which is as good.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from backup_agent.model.ids import BlobId, SnapshotId
from backup_agent.model.retention import RetentionPolicy, plan_forget
from backup_agent.model.snapshot import Snapshot
from backup_agent.services.vault import FileKind
from console_ui.storage.deletions import hidden_since
from console_ui.storage.models import State, StoredObject, Vault

_UNREAD = BlobId(bytes(32))
_TIME_ZONES = timedelta(hours=14)
_A_DAY = timedelta(days=1)


def unexpected_deletions(vault: Vault, *, since: datetime) -> set[str]:
    """The names of restore points hidden since then which the vault's retention keeps."""
    hidden = list(hidden_since(vault, since).filter(kind=FileKind.SNAPSHOT.value))
    visible = list(_visible(vault))
    # What was there before the console knew of the vault counts as made on its first day.
    made = {p.name: p.stored_at or vault.made_at for p in (*hidden, *visible)}
    snapshots = [
        Snapshot(id=SnapshotId(name), time=time, tree=_UNREAD, paths=())
        for name, time in made.items()
    ]
    there = [made[point.name] for point in visible]
    missed: set[str] = set()
    for policy, nearby in _rules(vault):
        kept = {str(k.snapshot.id) for k in plan_forget(snapshots, policy, now=since).keep}
        for point in hidden:
            if point.name in kept and not _has_one_near(made[point.name], there, nearby):
                missed.add(point.name)
    return missed


def _rules(vault: Vault) -> Iterator[tuple[RetentionPolicy, timedelta]]:
    """Each rule, and how near another restore point has to be to stand for one that it keeps."""
    rules = (
        (RetentionPolicy(last=vault.keep_last), timedelta(0)),
        (RetentionPolicy(daily=vault.keep_daily), _TIME_ZONES),
        (RetentionPolicy(weekly=vault.keep_weekly), _TIME_ZONES + _A_DAY),
        (RetentionPolicy(monthly=vault.keep_monthly), _TIME_ZONES + _A_DAY),
    )
    return ((policy, nearby) for policy, nearby in rules if not policy.is_empty)


def _has_one_near(moment: datetime, others: list[datetime], nearby: timedelta) -> bool:
    return any(abs(moment - other) < nearby for other in others)


def _visible(vault: Vault) -> Iterator[StoredObject]:
    kind = FileKind.SNAPSHOT.value
    return StoredObject.objects.filter(vault=vault, kind=kind, state=State.VISIBLE).iterator()
