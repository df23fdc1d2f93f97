"""What the ledger keeps, also when a process dies in the middle."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backup_agent.agent.alone import alone
from backup_agent.agent.database import Database
from backup_agent.agent.ledger import Ledger
from backup_agent.agent.plan import Plan
from backup_agent.agent.ran import JobKind, Omitted, Outcome, Ran, RunQuery
from backup_agent.errors import UsageError
from backup_agent.services.link.reports import RunEnded, RunStarted

NOW = datetime(2030, 3, 1, 12, tzinfo=UTC)
PLAN = Plan(id="7", name="Projects", paths=("/srv",))
DONE = Ran(outcome=Outcome.DONE, ended_at=NOW, snapshot="ab" * 32, made_at=NOW, files=3)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Database(tmp_path / "agent.sqlite3")) as database:
        yield Ledger(database, tells=True)


def test_a_run_and_its_news_are_kept_together(ledger: Ledger) -> None:
    run = ledger.begin(PLAN, at=NOW)
    ledger.end(run, DONE)

    first, second = (each.event for each in ledger.news(limit=10))
    assert isinstance(first, RunStarted)
    assert isinstance(second, RunEnded)
    assert first.run == second.run == run.id
    assert second.point is not None
    assert second.point.snapshot == DONE.snapshot
    assert [each.ran for each in ledger.page(RunQuery()).runs] == [DONE]


def test_news_go_only_when_they_were_told(tmp_path: Path) -> None:
    file = tmp_path / "agent.sqlite3"
    with closing(Database(file)) as database:
        ledger = Ledger(database, tells=True)
        ledger.end(ledger.begin(PLAN, at=NOW), DONE)
        ledger.told(ledger.news(limit=1))

    with closing(Database(file)) as database:
        (left,) = Ledger(database, tells=True).news(limit=10)

    assert isinstance(left.event, RunEnded)


def test_a_device_without_a_console_keeps_no_news(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "agent.sqlite3")) as database:
        ledger = Ledger(database, tells=False)
        ledger.end(ledger.begin(PLAN, at=NOW), DONE)

        assert ledger.news(limit=10) == []
        assert len(ledger.page(RunQuery()).runs) == 1


def test_a_run_whose_process_died_is_ended_and_told(ledger: Ledger, tmp_path: Path) -> None:
    ledger.begin(PLAN, at=NOW)
    with sqlite3.connect(tmp_path / "agent.sqlite3") as other:
        # As if the computer had been switched off since: this number belongs to another now.
        other.execute("UPDATE run SET process_began = process_began - 3600")
    other.close()

    (broken,) = ledger.end_those_broken_off(now=NOW)

    assert broken.plan_name == "Projects"
    assert isinstance(last := ledger.news(limit=10)[-1].event, RunEnded)
    assert last.outcome == "broken_off"
    assert ledger.end_those_broken_off(now=NOW) == []


def test_a_run_that_lasts_is_left_alone(ledger: Ledger) -> None:
    ledger.begin(PLAN, at=NOW)

    assert ledger.end_those_broken_off(now=NOW) == []


def test_names_of_files_that_are_no_text_are_told_as_text(ledger: Ledger) -> None:
    ran = Ran(
        outcome=Outcome.INCOMPLETE,
        ended_at=NOW,
        omitted=1,
        omissions=(Omitted("/srv/\\xff" + "x" * 2000, "Permission denied"),),
    )
    ledger.end(ledger.begin(PLAN, at=NOW), ran)

    event = ledger.news(limit=10)[-1].event
    assert isinstance(event, RunEnded)
    assert len(event.omissions[0].path) == 1000


def test_a_record_is_that_of_the_plan(ledger: Ledger) -> None:
    later = NOW + timedelta(hours=1)
    ledger.end(ledger.begin(PLAN, at=NOW), DONE)
    ledger.end(ledger.begin(PLAN, at=later), Ran(outcome=Outcome.FAILED, ended_at=later))
    ledger.begin(Plan(id="8", name="Mail"), at=NOW + timedelta(hours=2))

    record = ledger.record(PLAN.id, now=NOW + timedelta(days=1))

    assert (record.last_start, record.last_good, record.fruitless) == (later, NOW, 1)
    assert ledger.record("9", now=NOW).last_start is None


def test_a_start_in_the_future_is_left_out_of_a_record(ledger: Ledger) -> None:
    ledger.end(ledger.begin(PLAN, at=NOW), DONE)
    ledger.end(ledger.begin(PLAN, at=NOW + timedelta(days=400)), DONE)

    assert ledger.record(PLAN.id, now=NOW + timedelta(hours=1)).last_start == NOW


def test_upkeep_has_a_record_of_its_own_and_is_no_news_for_consoles(ledger: Ledger) -> None:
    ledger.end(ledger.begin(PLAN, at=NOW, kind=JobKind.CHECK), DONE)

    assert ledger.record(PLAN.id, now=NOW).last_start is None
    assert ledger.record(PLAN.id, now=NOW, kind=JobKind.CHECK).last_good == NOW
    assert ledger.news(limit=10) == []


def test_a_page_of_history_is_newest_first_and_tells_that_there_is_more(ledger: Ledger) -> None:
    for hours in range(5):
        ledger.end(ledger.begin(PLAN, at=NOW + timedelta(hours=hours)), DONE)

    first = ledger.page(RunQuery(limit=3))
    rest = ledger.page(RunQuery(limit=3, before=first.runs[-1].started_at))

    starts = [run.started_at for run in (*first.runs, *rest.runs)]
    assert starts == sorted(starts, reverse=True)
    assert (len(starts), first.more, rest.more) == (5, True, False)


def test_a_history_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    file = tmp_path / "agent.sqlite3"
    with closing(sqlite3.connect(file)) as old, old:
        old.executescript(
            "CREATE TABLE run (id TEXT PRIMARY KEY, plan TEXT NOT NULL, plan_name TEXT NOT NULL,"
            " started_at TEXT NOT NULL, pid INTEGER NOT NULL, process_began REAL NOT NULL,"
            " ran BLOB);"
            "CREATE INDEX run_by_start ON run (plan, started_at);"
            "CREATE TABLE news (number INTEGER PRIMARY KEY AUTOINCREMENT, event BLOB NOT NULL,"
            " refused TEXT NOT NULL DEFAULT '');"
        )
        ran = b'{"outcome":"done","ended_at":"2030-03-01T13:30:00+02:00"}'
        started_at = "2030-03-01T13:00:00+02:00"
        old.execute("INSERT INTO run VALUES ('r','7','Projects',?,1,0.0,?)", (started_at, ran))

    with closing(Database(file)) as database:
        record = Ledger(database, tells=True).record("7", now=NOW)

    assert record.last_good == NOW - timedelta(hours=1)


def test_a_history_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "agent.sqlite3"
    with closing(Database(file)), closing(sqlite3.connect(file)) as newer:
        newer.execute("PRAGMA user_version = 99")

    with pytest.raises(UsageError, match="newer"):
        Database(file)


def test_a_second_agent_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    file = tmp_path / "agent.sqlite3"
    with alone(file), pytest.raises(UsageError, match="runs already"), alone(file):
        pass
    with alone(file):
        pass
