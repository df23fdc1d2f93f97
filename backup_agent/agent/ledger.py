"""What this device has done: runs, and the news of them that the console has not got yet.

An SQLite file, which no restore ever needs. A run and the news of it are written in one
transaction, so that a crash loses neither of them alone. Several processes may write: the agent,
and ``everboot plan run`` beside it.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
import psutil

from backup_agent.agent.plan import Plan
from backup_agent.agent.ran import Outcome, Ran
from backup_agent.services.link.reports import (
    MOST_PATHS,
    NAME_LENGTH,
    PATH_LENGTH,
    TEXT_LENGTH,
    Event,
    RunEnded,
    RunStarted,
    ToldOmission,
    ToldPoint,
    fitting,
)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS run (
    id TEXT PRIMARY KEY, plan TEXT NOT NULL, plan_name TEXT NOT NULL, started_at TEXT NOT NULL,
    pid INTEGER NOT NULL, process_began REAL NOT NULL, ran BLOB);
CREATE INDEX IF NOT EXISTS run_by_start ON run (plan, started_at);
CREATE TABLE IF NOT EXISTS news (
    number INTEGER PRIMARY KEY AUTOINCREMENT, event BLOB NOT NULL,
    refused TEXT NOT NULL DEFAULT '');
"""
_BUSY_SECONDS = 20
_REMEMBERED_RUNS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEntry:
    """One run; ``ran`` is None while it lasts."""

    id: str
    plan_id: str
    plan_name: str
    started_at: datetime
    ran: Ran | None


@dataclass(frozen=True, slots=True)
class News:
    """One event on its way to the console."""

    number: int
    event: Event


def ledger_file(environment: Mapping[str, str]) -> Path:
    """``$EVERBOOT_STATE_DIR/agent.sqlite3``, else below the folder for programs' states."""
    if folder := environment.get("EVERBOOT_STATE_DIR"):
        return Path(folder) / "agent.sqlite3"
    home = environment.get("XDG_STATE_HOME")
    base = Path(home) if home else Path(environment.get("HOME") or Path.home()) / ".local/state"
    return base / "everboot" / "agent.sqlite3"


class Ledger:
    """Several threads may share one. ``tells``: whether there is a console to keep news for."""

    def __init__(self, file: Path, *, tells: bool) -> None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._tells = tells
        self._database = sqlite3.connect(
            file, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def begin(self, plan: Plan, *, at: datetime) -> RunEntry:
        """A run begins in this process."""
        run = RunEntry(
            id=str(uuid.uuid4()), plan_id=plan.id, plan_name=plan.name, started_at=at, ran=None
        )
        with self._transaction() as database:
            database.execute(
                "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, NULL)",
                (run.id, plan.id, plan.name, at.isoformat(), os.getpid(), _began(os.getpid())),
            )
            self._tell(database, RunStarted(run=run.id, at=at, plan=plan.id, plan_name=_name(run)))
        return run

    def end(self, run: RunEntry, ran: Ran) -> None:
        """It ended, however it did. Runs of long ago are forgotten."""
        with self._transaction() as database:
            database.execute(
                "UPDATE run SET ran = ? WHERE id = ?", (msgspec.json.encode(ran), run.id)
            )
            self._tell(database, _ended(run, ran))
            database.execute(
                "DELETE FROM run WHERE id IN"
                " (SELECT id FROM run ORDER BY started_at DESC LIMIT -1 OFFSET ?)",
                (_REMEMBERED_RUNS,),
            )

    def end_those_broken_off(self, *, now: datetime) -> list[RunEntry]:
        """Note the end of runs whose process died in the middle of them."""
        with self._lock:
            rows = self._database.execute(
                "SELECT id, plan, plan_name, started_at, ran, pid, process_began"
                " FROM run WHERE ran IS NULL"
            ).fetchall()
        broken = [_entry(row[:5]) for row in rows if not _lives(row[5], row[6])]
        for run in broken:
            message = "The program ended in the middle of it (a crash, or the computer went off)."
            self.end(run, Ran(outcome=Outcome.BROKEN_OFF, ended_at=now, message=message))
        return broken

    def last_start(self, plan: Plan) -> datetime | None:
        with self._lock:
            (found,) = self._database.execute(
                "SELECT max(started_at) FROM run WHERE plan = ?", (plan.id,)
            ).fetchone()
        return datetime.fromisoformat(found) if found else None

    def runs(self, *, limit: int) -> list[RunEntry]:
        """The latest, newest first."""
        with self._lock:
            rows = self._database.execute(
                "SELECT id, plan, plan_name, started_at, ran FROM run"
                " ORDER BY started_at DESC LIMIT ?",
                (limit,),
            ).fetchall()
        return [_entry(row) for row in rows]

    def news(self, *, limit: int) -> list[News]:
        """What the console has not got yet, oldest first."""
        with self._lock:
            rows = self._database.execute(
                "SELECT number, event FROM news WHERE refused = '' ORDER BY number LIMIT ?",
                (limit,),
            ).fetchall()
        return [News(number, msgspec.json.decode(event, type=Event)) for number, event in rows]

    def told(self, news: Sequence[News]) -> None:
        """The console has these now."""
        with self._transaction() as database:
            numbers = [(each.number,) for each in news]
            database.executemany("DELETE FROM news WHERE number = ?", numbers)

    def refused(self, news: News, why: str) -> None:
        """The console will never take it; it is kept for whoever looks into that."""
        with self._transaction() as database:
            database.execute("UPDATE news SET refused = ? WHERE number = ?", (why, news.number))

    def _tell(self, database: sqlite3.Connection, event: Event) -> None:
        if self._tells:
            database.execute("INSERT INTO news (event) VALUES (?)", (msgspec.json.encode(event),))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")


def _entry(row: tuple[str, str, str, str, bytes | None]) -> RunEntry:
    run, plan, plan_name, started_at, ran = row
    return RunEntry(
        id=run,
        plan_id=plan,
        plan_name=plan_name,
        started_at=datetime.fromisoformat(started_at),
        ran=None if ran is None else msgspec.json.decode(ran, type=Ran),
    )


def _ended(run: RunEntry, ran: Ran) -> RunEnded:
    point = None
    if ran.snapshot and ran.made_at is not None:
        point = ToldPoint(
            snapshot=ran.snapshot,
            made_at=ran.made_at,
            kind=ran.kind,
            paths=tuple(fitting(path, PATH_LENGTH) for path in ran.paths[:MOST_PATHS]),
        )
    return RunEnded(
        run=run.id,
        at=ran.ended_at,
        started_at=run.started_at,
        outcome=ran.outcome.value,
        plan=run.plan_id,
        plan_name=_name(run),
        files=ran.files,
        bytes_read=ran.bytes_read,
        bytes_added=ran.bytes_added,
        omitted=ran.omitted,
        omissions=tuple(
            ToldOmission(fitting(each.path, PATH_LENGTH), fitting(each.reason, TEXT_LENGTH))
            for each in ran.omissions
        ),
        message=fitting(ran.message, TEXT_LENGTH),
        hint=fitting(ran.hint, TEXT_LENGTH),
        point=point,
    )


def _name(run: RunEntry) -> str:
    return fitting(run.plan_name, NAME_LENGTH)


def _began(pid: int) -> float:
    """When the process began, so that a number that is used again is not taken for it."""
    return float(psutil.Process(pid).create_time())


def _lives(pid: int, began: float) -> bool:
    try:
        return abs(_began(pid) - began) < 1
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
