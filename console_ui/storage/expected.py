"""Which restore points an administrator expects to stay: those that their retention keeps.

The console does not read restore points; when one was stored stands for when it was made. And
it knows no time zones: where the device's day ends before or after its own, the device keeps
another restore point of the same night, which is as good.

What the retention keeps is the same before and after a deletion, for what was deleted lately
counts as well. So it is worked out once for many deletions, and outside their transactions: with
thousands of restore points that takes a while, and on SQLite everybody else would wait.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from django.db.models import Count, Max, Q

from backup_agent.model.ids import BlobId, SnapshotId
from backup_agent.model.retention import RetentionPolicy, plan_forget
from backup_agent.model.snapshot import Snapshot
from backup_agent.services.vault import FileKind
from console_ui.storage import catalog
from console_ui.storage.deletions import hidden_since
from console_ui.storage.models import Vault

_UNREAD = BlobId(bytes(32))
_TIME_ZONES = timedelta(hours=14)
_A_DAY = timedelta(days=1)
_VALID_FOR = timedelta(minutes=10)
_REMEMBERED_VAULTS = 100


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a retention, and how near another restore point has to be to stand for one
    that it keeps.
    """

    policy: RetentionPolicy
    nearby: timedelta


@dataclass(frozen=True, slots=True)
class Expectation:
    """Each rule with what it keeps: names, and when each restore point was made."""

    rules: tuple[tuple[Rule, dict[str, datetime]], ...] = ()

    def missed(self, vault: Vault, *, since: datetime) -> bool:
        """Whether something that it keeps was hidden since then, and nothing stands for it."""
        points = hidden_since(vault, since).filter(kind=FileKind.SNAPSHOT.value)
        hidden = set(points.values_list("name", flat=True))
        return any(
            not _has_one_near(vault, kept[name], rule.nearby)
            for rule, kept in self.rules
            for name in hidden & kept.keys()
        )


@dataclass(frozen=True, slots=True)
class _Basis:
    """What an expectation was worked out from; while that is the same, so is the expectation."""

    rules: tuple[Rule, ...]
    since: datetime
    count: int
    newest: datetime | None

    def still_holds(self, now: _Basis) -> bool:
        known = (self.rules, self.count, self.newest)
        is_young = timedelta(0) <= now.since - self.since < _VALID_FOR
        return is_young and known == (now.rules, now.count, now.newest)


class Expectations:
    """What is expected of the vaults that were looked at last. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[uuid.UUID, tuple[_Basis, Expectation]] = {}

    def of(self, vault: Vault, *, since: datetime) -> Expectation:
        """Of what is visible, and what was until that moment."""
        basis = _basis(vault, since)
        if not basis.rules:
            return Expectation()
        with self._lock:
            known = self._known.get(vault.pk)
        if known is not None and known[0].still_holds(basis):
            return known[1]
        found = _work_out(vault, basis)
        with self._lock:
            self._known.pop(vault.pk, None)
            self._known[vault.pk] = basis, found
            if len(self._known) > _REMEMBERED_VAULTS:
                del self._known[next(iter(self._known))]
        return found


expectations = Expectations()
"""This process's."""


def _basis(vault: Vault, since: datetime) -> _Basis:
    visible = catalog.visible(vault, FileKind.SNAPSHOT)
    hidden = hidden_since(vault, since).filter(kind=FileKind.SNAPSHOT.value)
    there = visible.aggregate(count=Count("pk"), newest=Max("stored_at"))
    gone = hidden.aggregate(count=Count("pk"), newest=Max("stored_at"))
    newest = max((at for at in (there["newest"], gone["newest"]) if at), default=None)
    return _Basis(_rules(vault), since, there["count"] + gone["count"], newest)


def _work_out(vault: Vault, basis: _Basis) -> Expectation:
    kind = FileKind.SNAPSHOT
    hidden = hidden_since(vault, basis.since).filter(kind=kind.value)
    # What was there before the console knew of the vault counts as made on its first day.
    made = {
        name: stored_at or vault.made_at
        for points in (hidden, catalog.visible(vault, kind))
        for name, stored_at in points.values_list("name", "stored_at")
    }
    snapshots = [
        Snapshot(id=SnapshotId(name), time=time, tree=_UNREAD, paths=())
        for name, time in made.items()
    ]
    kept = (plan_forget(snapshots, rule.policy, now=basis.since).keep for rule in basis.rules)
    names = ((str(each.snapshot.id) for each in plan) for plan in kept)
    return Expectation(
        tuple(
            (rule, {name: made[name] for name in those})
            for rule, those in zip(basis.rules, names, strict=True)
        )
    )


def _rules(vault: Vault) -> tuple[Rule, ...]:
    rules = (
        Rule(RetentionPolicy(last=vault.keep_last), timedelta(0)),
        Rule(RetentionPolicy(daily=vault.keep_daily), _TIME_ZONES),
        Rule(RetentionPolicy(weekly=vault.keep_weekly), _TIME_ZONES + _A_DAY),
        Rule(RetentionPolicy(monthly=vault.keep_monthly), _TIME_ZONES + _A_DAY),
    )
    return tuple(rule for rule in rules if not rule.policy.is_empty)


def _has_one_near(vault: Vault, moment: datetime, nearby: timedelta) -> bool:
    is_near = Q(stored_at__gt=moment - nearby, stored_at__lt=moment + nearby)
    if abs(moment - vault.made_at) < nearby:
        is_near |= Q(stored_at=None)
    return catalog.visible(vault, FileKind.SNAPSHOT).filter(is_near).exists()
