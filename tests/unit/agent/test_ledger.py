"""What the ledger keeps, also when a process dies in the middle."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backup_agent.agent.alone import alone
from backup_agent.agent.ledger import Ledger
from backup_agent.agent.plan import Plan
from backup_agent.agent.ran import Omitted, Outcome, Ran
from backup_agent.errors import UsageError
from backup_agent.services.link.reports import RunEnded, RunStarted

NOW = datetime(2030, 3, 1, 12, tzinfo=UTC)
PLAN = Plan(id="7", name="Projects", paths=("/srv",))
DONE = Ran(outcome=Outcome.DONE, ended_at=NOW, snapshot="ab" * 32, made_at=NOW, files=3)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "agent.sqlite3", tells=True)
    yield made
    made.close()


def test_a_run_and_its_news_are_kept_together(ledger: Ledger) -> None:
    run = ledger.begin(PLAN, at=NOW)
    ledger.end(run, DONE)

    first, second = (each.event for each in ledger.news(limit=10))
    assert isinstance(first, RunStarted)
    assert isinstance(second, RunEnded)
    assert first.run == second.run == run.id
    assert second.point is not None
    assert second.point.snapshot == DONE.snapshot
    assert [each.ran for each in ledger.runs(limit=5)] == [DONE]


def test_news_go_only_when_they_were_told(tmp_path: Path) -> None:
    file = tmp_path / "agent.sqlite3"
    ledger = Ledger(file, tells=True)
    ledger.end(ledger.begin(PLAN, at=NOW), DONE)
    ledger.told(ledger.news(limit=1))
    ledger.close()

    again = Ledger(file, tells=True)
    (left,) = again.news(limit=10)
    again.close()

    assert isinstance(left.event, RunEnded)


def test_a_device_without_a_console_keeps_no_news(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "agent.sqlite3", tells=False)
    ledger.end(ledger.begin(PLAN, at=NOW), DONE)

    assert ledger.news(limit=10) == []
    assert len(ledger.runs(limit=10)) == 1
    ledger.close()


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


def test_the_last_start_is_that_of_the_plan(ledger: Ledger) -> None:
    ledger.begin(PLAN, at=NOW)
    ledger.begin(PLAN, at=NOW + timedelta(hours=1))
    ledger.begin(Plan(id="8", name="Mail"), at=NOW + timedelta(hours=2))

    assert ledger.last_start(PLAN) == NOW + timedelta(hours=1)
    assert ledger.last_start(Plan(id="9", name="New")) is None


def test_a_second_agent_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    file = tmp_path / "agent.sqlite3"
    with alone(file), pytest.raises(UsageError, match="runs already"), alone(file):
        pass
    with alone(file):
        pass
