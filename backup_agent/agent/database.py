"""The agent's SQLite file: history, news for the console, settings. No restore ever needs it.

Several processes may write: the agent, and ``everboot plan run`` beside it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backup_agent.errors import UsageError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS run (
    id TEXT PRIMARY KEY, plan TEXT NOT NULL, plan_name TEXT NOT NULL, started_at TEXT NOT NULL,
    pid INTEGER NOT NULL, process_began REAL NOT NULL, ran BLOB);
CREATE TABLE IF NOT EXISTS news (
    number INTEGER PRIMARY KEY AUTOINCREMENT, event BLOB NOT NULL,
    refused TEXT NOT NULL DEFAULT '');
"""
_SECOND = """
ALTER TABLE run ADD COLUMN kind TEXT NOT NULL DEFAULT 'backup';
DROP INDEX IF EXISTS run_by_start;
CREATE INDEX run_by_plan ON run (plan, kind, started_at);
CREATE INDEX run_by_start ON run (started_at);
CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL);
"""
_VERSION = 2
"""Of the schema, as ``user_version``; the first one wrote none."""
_BUSY_SECONDS = 20


def state_folder(environment: Mapping[str, str]) -> Path:
    """``$EVERBOOT_STATE_DIR``, else ``everboot`` in the folder for programs' states."""
    if folder := environment.get("EVERBOOT_STATE_DIR"):
        return Path(folder)
    home = environment.get("XDG_STATE_HOME")
    base = Path(home) if home else Path(environment.get("HOME") or Path.home()) / ".local/state"
    return base / "everboot"


def database_file(environment: Mapping[str, str]) -> Path:
    return state_folder(environment) / "agent.sqlite3"


class Database:
    """Several threads may share one."""

    def __init__(self, file: Path) -> None:
        """Raises ``UsageError`` for a file of a newer Everboot, or one that is no database."""
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            file, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._upgrade(file)
        except BaseException as exc:
            self._connection.close()
            if isinstance(exc, sqlite3.DatabaseError):
                raise UsageError(
                    f"The history in {file} cannot be read: {exc}.",
                    hint="Move the file away: a new one is begun, and no restore needs it.",
                ) from exc
            raise

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _upgrade(self, file: Path) -> None:
        with self.transaction() as database:
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if version > _VERSION:
                raise UsageError(
                    f"The history in {file} was written by a newer Everboot.",
                    hint="Update this one, or end the older agent that still runs.",
                )
            if version < _VERSION:
                _execute_each(database, _SCHEMA)
                _execute_each(database, _SECOND)
                _say_times_in_utc(database)
                database.execute(f"PRAGMA user_version = {_VERSION}")


def _execute_each(database: sqlite3.Connection, script: str) -> None:
    """``executescript`` would commit first."""
    for statement in script.split(";"):
        database.execute(statement)


def _say_times_in_utc(database: sqlite3.Connection) -> None:
    """Times are compared as texts, which only those of one zone can be."""
    for run, started_at in database.execute("SELECT id, started_at FROM run").fetchall():
        text = utc_text(datetime.fromisoformat(started_at))
        database.execute("UPDATE run SET started_at = ? WHERE id = ?", (text, run))


def utc_text(moment: datetime) -> str:
    """A form whose order as text is that of the moments."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
