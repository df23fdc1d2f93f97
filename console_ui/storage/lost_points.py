"""How many restore points devices have deleted since a moment, of those that were there.

Restore points that are older than the moment simply count. Of those that came since, an ordinary
plan deletes some, too: one that runs every hour and keeps one a day deletes them an hour later,
or all of a day at once. And a device can store rubbish to make what it deletes look little. So:

- What came since is measured against what had come before it: rubbish that came later does not
  make a share of it smaller.
- One restore point a quarter of an hour is let go by the plan. A quarter in which it was stored,
  where older ones stay that the device did not just make; else, on a vault's first day, one in
  which it was deleted.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TypeAlias

from backup_agent.services.vault import FileKind
from console_ui.storage import catalog
from console_ui.storage.deletions import Loss, hidden_since, is_older
from console_ui.storage.models import Vault

_BETWEEN_BACKUPS = timedelta(minutes=15)
_Deletion: TypeAlias = tuple[datetime, datetime]
"""When it was stored, and when it was hidden."""


def too_many_points_lost(vault: Vault, since: datetime, *, percent: int) -> bool:
    """Whether of the restore points that were there at some moment since, more than that is
    gone. A single one that came since is measured against all of them.
    """
    losses = _losses(vault, since, percent)
    return any(loss.exceeds(percent) for loss in losses)


def _losses(vault: Vault, since: datetime, percent: int) -> Iterator[Loss]:
    """Of those older than the moment, and then of all up to each one that is gone of the rest."""
    points = catalog.visible(vault, FileKind.SNAPSHOT)
    hidden = hidden_since(vault, since).filter(kind=FileKind.SNAPSHOT.value)
    gone, left = hidden.filter(is_older(since)).count(), points.filter(is_older(since)).count()
    yield Loss(before=left + gone, gone=gone)
    came_and_went = hidden.filter(stored_at__gt=since).values_list("stored_at", "hidden_at")
    lost = _unplanned([(s, h) for s, h in came_and_went if s and h], has_older=left > 0)
    if not lost:
        return
    # More than these can only make the share small enough.
    most = (gone + len(lost)) * 100 // percent + 1
    came = points.filter(stored_at__gt=since).order_by("stored_at")
    stored = [at for at in came.values_list("stored_at", flat=True)[:most] if at]
    for number, moment in enumerate(lost, start=1):
        is_alone = number == len(lost) == 1
        stayed = left + (len(stored) if is_alone else bisect_right(stored, moment))
        if number > 1 or is_alone:
            yield Loss(before=stayed + gone + number, gone=gone + number)


def _unplanned(deletions: list[_Deletion], *, has_older: bool) -> list[datetime]:
    """When those were stored, in order, that no plan lets go one by one."""
    deletions.sort(key=_stored if has_older else _hidden)
    unplanned: list[datetime] = []
    last: datetime | None = None
    for deletion in deletions:
        moment = _stored(deletion) if has_older else _hidden(deletion)
        if last is None or moment - last >= _BETWEEN_BACKUPS:
            last = moment
        else:
            unplanned.append(_stored(deletion))
    return sorted(unplanned)


def _stored(deletion: _Deletion) -> datetime:
    return deletion[0]


def _hidden(deletion: _Deletion) -> datetime:
    return deletion[1]
