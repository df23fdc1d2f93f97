"""The log stays small and readable, and diagnostics tell no secrets."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from backup_agent.agent.desk import Secrets
from backup_agent.agent.diagnostics import diagnostics, without_secrets
from backup_agent.agent.log import Log, latest_lines
from backup_agent.agent.storage_location import StorageLocation
from backup_agent.model.events import ItemSkipped, Notice, Progress
from tests.unit.agent.workplace import Workplace

NOW = datetime(2030, 3, 1, 12, tzinfo=UTC)


def test_the_log_tells_what_happened_line_by_line(tmp_path: Path) -> None:
    log = Log(tmp_path / "agent.log", now=lambda: NOW)

    log.write(Notice("Projects: backing up."))
    log.write(Progress("backup", 1, 2))
    log.write(ItemSkipped("/srv/\udcff", "Permission denied", "read"))

    first, second = latest_lines(tmp_path / "agent.log", 10)
    assert str(first) == "2030-03-01 12:00:00  Projects: backing up."
    assert second.path == "/srv/\\udcff"
    assert (tmp_path / "agent.log").stat().st_mode & 0o777 == 0o600


def test_old_lines_go_before_the_files_grow(tmp_path: Path) -> None:
    log = Log(tmp_path / "agent.log", now=lambda: NOW, most_bytes=1000, older_files=2)

    for number in range(500):
        log.write(Notice(f"line {number}"))

    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "agent.log",
        "agent.log.1",
        "agent.log.2",
    ]
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 4000
    assert latest_lines(tmp_path / "agent.log", 3)[-1].message == "line 499"


def test_a_line_that_a_power_failure_cut_is_passed_over(tmp_path: Path) -> None:
    Log(tmp_path / "agent.log", now=lambda: NOW).write(Notice("whole"))
    with (tmp_path / "agent.log").open("ab") as stream:
        stream.write(b'{"at":"2030-03')

    assert [line.message for line in latest_lines(tmp_path / "agent.log", 9)] == ["whole"]


def test_a_log_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "agent.log").mkdir()

    Log(tmp_path / "agent.log", now=lambda: NOW).write(Notice("unheard"))

    assert latest_lines(tmp_path / "agent.log", 9) == ()


def test_diagnostics_hold_everything_but_secrets(place: Workplace) -> None:
    address = "s3:https://KEY:s3cr3t@host.example/bucket"
    plan = place.plan(location=StorageLocation(address=address))
    log = Log(place.home / "agent.log", now=lambda: NOW)
    log.write(Notice(f"{address} answered: password=hunter2 is wrong"))
    with place.portable() as desk:
        desk.save_plan(plan, Secrets("correct horse", {"AWS_SECRET_ACCESS_KEY": "abcdef"}))
        content = diagnostics(desk, latest_lines(place.home / "agent.log", 9), now=NOW)

    told = json.loads(content)
    for secret in (b"s3cr3t", b"hunter2", b"correct horse", b"abcdef"):
        assert secret not in content
    assert told["state"]["plans"][0]["plan"]["name"] == "Projects"
    assert "host.example/bucket" in told["state"]["plans"][0]["plan"]["location"]["address"]
    assert "is wrong" in told["log"][0]["message"]


def test_what_stands_under_a_secrets_name_is_masked() -> None:
    assert without_secrets({"api_key": "abc", "tokens": 3, "name": "x"}) == {
        "api_key": "***",
        "tokens": 3,
        "name": "x",
    }
