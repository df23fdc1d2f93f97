"""What was deleted, run by run: a prune and an attack minutes later are two."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Q, Sum
from django.db.models.functions import TruncSecond

from backup_agent.services.vault import FileKind
from console_ui.storage.deletions import KEPT_FOR
from console_ui.storage.models import State, StoredObject, Vault

_PAUSE = timedelta(minutes=1)
"""So long without a deletion ends a run."""


@dataclass(frozen=True, slots=True)
class DeletionRun:
    """Numbers of objects, ``points`` of them restore points; ``size`` in bytes."""

    first: datetime
    last: datetime
    count: int
    points: int
    size: int

    @property
    def before(self) -> datetime:
        """A moment just before it, in whole seconds, as people type one."""
        return self.first.replace(microsecond=0) - timedelta(seconds=1)

    @property
    def kept_until(self) -> datetime:
        """From then on some of it is purged, unless an alarm is open."""
        return self.first + KEPT_FOR

    def joined(self, later: DeletionRun) -> DeletionRun:
        """Both as one."""
        return replace(
            self,
            last=later.last,
            count=self.count + later.count,
            points=self.points + later.points,
            size=self.size + later.size,
        )


def deletion_runs(vault: Vault) -> list[DeletionRun]:
    """Of what is hidden and still kept, the newest first."""
    runs: list[DeletionRun] = []
    for second in _by_second(vault):
        if runs and second.first - runs[-1].last < _PAUSE:
            runs[-1] = runs[-1].joined(second)
        else:
            runs.append(second)
    return runs[::-1]


def moment_before(runs: list[DeletionRun], moment: datetime | None) -> datetime | None:
    """Just before the run that went on at that moment, or else before the newest."""
    if not runs:
        return None
    meant = (run for run in runs if moment is not None and run.first <= moment <= run.last)
    return next(meant, runs[0]).before


def _by_second(vault: Vault) -> list[DeletionRun]:
    seconds = (
        StoredObject.objects.filter(vault=vault, state=State.HIDDEN)
        .annotate(second=TruncSecond("hidden_at"))
        .values("second")
        .annotate(
            first=Min("hidden_at"),
            last=Max("hidden_at"),
            count=Count("pk"),
            points=Count("pk", filter=Q(kind=FileKind.SNAPSHOT.value)),
            bytes=Sum("size"),
        )
        .order_by("second")
    )
    return [
        DeletionRun(each["first"], each["last"], each["count"], each["points"], each["bytes"])
        for each in seconds
    ]
