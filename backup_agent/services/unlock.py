"""Removing locks that crashed runs left behind."""

from __future__ import annotations

from datetime import datetime

from backup_agent.repository.locks import remove_locks
from backup_agent.repository.repository import Repository


def run_unlock(repository: Repository, *, every: bool, now: datetime) -> int:
    """Remove the stale locks, or ``every`` one; returns how many.

    Whoever removes the lock of a run that lives lets a prune take data from
    under it. Raises ``AccessDeniedError``, ``StorageError``.
    """
    return remove_locks(repository, every=every, now=now)
