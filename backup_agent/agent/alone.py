"""One agent for each ledger: two would run every plan twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from backup_agent.errors import UsageError


@contextmanager
def alone(ledger: Path) -> Iterator[None]:
    """Until the end of the ``with``, or of the process. Raises ``UsageError`` beside another.

    SQLite's lock is one that every system has, and that dies with its holder.
    """
    ledger.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(
        sqlite3.connect(ledger.with_suffix(".lock"), timeout=0, isolation_level=None)
    ) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as exc:
            raise UsageError(
                "An agent runs already for these plans.",
                hint="everboot status shows what it does.",
            ) from exc
        yield
