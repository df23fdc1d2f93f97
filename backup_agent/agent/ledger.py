"""What this device has done: runs, and the news of them that the console has not got yet.

A run and the news of it are written in one transaction, so that a crash loses neither of them
alone. Consoles are told of backups; what else was done stays here.
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

import msgspec
import psutil

from backup_agent.agent.database import Database, utc_text
from backup_agent.agent.due import Record
from backup_agent.agent.plan import Plan
from backup_agent.agent.ran import (
    INTERRUPTED,
    JobKind,
    Outcome,
    Ran,
    RunPage,
    RunQuery,
    RunView,
)
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

_REMEMBERED_RUNS = 5000
_COLUMNS = "id, kind, plan, plan_name, started_at, ran"
_FRUITLESS = (Outcome.FAILED, Outcome.BROKEN_OFF)
_MOST_LOOKED_AT = 100
"""Latest runs of one plan: more failures in a row than that make no difference."""


@dataclass(frozen=True, slots=True)
class News:
    """One event on its way to the console."""

    number: int
    event: Event


class Ledger:
    """Several threads may share one. ``tells``: whether there is a console to keep news for."""

    def __init__(self, database: Database, *, tells: bool) -> None:
        self._database = database
        self.tells = tells

    def begin(self, plan: Plan, *, at: datetime, kind: JobKind = JobKind.BACKUP) -> RunView:
        """A run begins in this process."""
        run = RunView(
            id=str(uuid.uuid4()),
            kind=kind,
            plan_id=plan.id,
            plan_name=plan.name,
            started_at=at,
            ran=None,
        )
        began = _began(os.getpid())
        with self._database.transaction() as database:
            database.execute(
                "INSERT INTO run (id, kind, plan, plan_name, started_at, pid, process_began)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (run.id, kind, plan.id, plan.name, utc_text(at), os.getpid(), began),
            )
            if kind is JobKind.BACKUP:
                event = RunStarted(run=run.id, at=at, plan=plan.id, plan_name=_name(run))
                self._tell(database, event)
        return run

    def end(self, run: RunView, ran: Ran) -> None:
        """It ended, however it did. Runs of long ago are forgotten."""
        with self._database.transaction() as database:
            database.execute(
                "UPDATE run SET ran = ? WHERE id = ?", (msgspec.json.encode(ran), run.id)
            )
            if run.kind is JobKind.BACKUP:
                self._tell(database, _ended(run, ran))
            database.execute(
                "DELETE FROM run WHERE id IN"
                " (SELECT id FROM run ORDER BY started_at DESC LIMIT -1 OFFSET ?)",
                (_REMEMBERED_RUNS,),
            )

    def end_those_broken_off(self, *, now: datetime) -> list[RunView]:
        """Note the end of runs whose process died in the middle of them."""
        lasting = self._database.rows("SELECT id, pid, process_began FROM run WHERE ran IS NULL")
        dead = {run for run, pid, began in lasting if not _lives(pid, began)}
        broken = [run for run in self._runs("ran IS NULL", (), limit=-1) if run.id in dead]
        for run in broken:
            message = "The program ended in the middle of it (a crash, or the computer went off)."
            self.end(run, Ran(outcome=Outcome.BROKEN_OFF, ended_at=now, message=message))
        return broken

    def record(self, plan_id: str, *, now: datetime, kind: JobKind = JobKind.BACKUP) -> Record:
        """What the latest runs came to. Starts in the future tell of a clock that was wrong."""
        runs = self._runs(
            "plan = ? AND kind = ? AND started_at <= ?",
            (plan_id, kind, utc_text(now)),
            limit=_MOST_LOOKED_AT,
        )
        return _record(runs)

    def latest(self, plan_id: str, kind: JobKind, *, good: bool = False) -> RunView | None:
        """The latest run that has ended (``good``: well)."""
        runs = self._runs(
            "plan = ? AND kind = ? AND ran IS NOT NULL",
            (plan_id, kind),
            limit=_MOST_LOOKED_AT if good else 1,
        )
        return next((run for run in runs if not good or _is_good(run)), None)

    def page(self, query: RunQuery) -> RunPage:
        """Newest first."""
        narrow, values = ["1"], list[object]()
        if query.plan_id:
            narrow.append("plan = ?")
            values.append(query.plan_id)
        if query.kinds:
            narrow.append(f"kind IN ({', '.join('?' * len(query.kinds))})")
            values += query.kinds
        if query.before is not None:
            narrow.append("started_at < ?")
            values.append(utc_text(query.before))
        runs = self._runs(" AND ".join(narrow), values, limit=query.limit + 1)
        return RunPage(tuple(runs[: query.limit]), more=len(runs) > query.limit)

    def news(self, *, limit: int) -> list[News]:
        """What the console has not got yet, oldest first."""
        rows = self._database.rows(
            "SELECT number, event FROM news WHERE refused = '' ORDER BY number LIMIT ?", (limit,)
        )
        return [News(number, msgspec.json.decode(event, type=Event)) for number, event in rows]

    def told(self, news: Sequence[News]) -> None:
        """The console has these now."""
        with self._database.transaction() as database:
            numbers = [(each.number,) for each in news]
            database.executemany("DELETE FROM news WHERE number = ?", numbers)

    def refused(self, news: News, why: str) -> None:
        """The console will never take it; it is kept for whoever looks into that."""
        with self._database.transaction() as database:
            database.execute("UPDATE news SET refused = ? WHERE number = ?", (why, news.number))

    def _runs(self, where: str, values: Sequence[object], *, limit: int) -> list[RunView]:
        """Newest first; -1: all of them."""
        query = f"SELECT {_COLUMNS} FROM run WHERE {where} ORDER BY started_at DESC LIMIT ?"  # noqa: S608 - words of ours alone
        return [_run(row) for row in self._database.rows(query, (*values, limit))]

    def _tell(self, database: sqlite3.Connection, event: Event) -> None:
        if self.tells:
            database.execute("INSERT INTO news (event) VALUES (?)", (msgspec.json.encode(event),))


def _run(row: Sequence[Any]) -> RunView:
    run, kind, plan, plan_name, started_at, ran = row
    return RunView(
        id=run,
        kind=JobKind(kind),
        plan_id=plan,
        plan_name=plan_name,
        started_at=datetime.fromisoformat(started_at),
        ran=None if ran is None else msgspec.json.decode(ran, type=Ran),
    )


def _is_good(run: RunView) -> bool:
    return run.ran is not None and run.ran.outcome.left_something


def _record(newest_first: Sequence[RunView]) -> Record:
    if not newest_first:
        return Record()
    last = newest_first[0]
    ended = [run for run in newest_first if run.ran is not None]
    good = next((run for run in ended if _is_good(run)), None)
    fruitless = takewhile(lambda run: not _is_good(run), ended)
    return Record(
        last_start=last.started_at,
        last_end=last.ran.ended_at if last.ran else None,
        last_outcome=last.ran.outcome if last.ran else None,
        interrupted=last.ran is not None and last.ran.code == INTERRUPTED,
        last_good=good.started_at if good else None,
        fruitless=sum(run.ran is not None and run.ran.outcome in _FRUITLESS for run in fruitless),
    )


def _ended(run: RunView, ran: Ran) -> RunEnded:
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


def _name(run: RunView) -> str:
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
