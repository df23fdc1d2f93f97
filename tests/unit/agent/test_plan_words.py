"""What people write after ``everboot plan``, and what comes of it."""

from __future__ import annotations

import json
from datetime import time
from pathlib import Path

import pytest

from backup_agent.agent.schedule import Daily, EveryHours, Monthly, Schedule, Weekday, Weekly
from backup_agent.cli import plan_words
from tests.command_line import PASSWORD, CommandLine


@pytest.fixture
def shell(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path).having(
        XDG_STATE_HOME=str(tmp_path / "state"), EVERBOOT_SECRETS="file"
    )


def listed(shell: CommandLine) -> dict[str, object]:
    (plan,) = shell.ok("plan", "list", "--json").of_type("plan")
    return plan


@pytest.mark.parametrize(
    ("schedule", "told"),
    [
        (Daily(time(18)), "daily at 18:00"),
        (plan_words.parse_weekly("thu,mon@7:30"), "mon,thu at 07:30"),
        (plan_words.parse_weekly("sat-mon@7:30"), "mon,sat,sun at 07:30"),
        (plan_words.parse_monthly("31@23:59"), "day 31 of each month at 23:59"),
        (
            EveryHours(2, frozenset({Weekday.FRIDAY}), time(8), time(20)),
            "every 2 h, 08:00 to 20:00, fri",
        ),
    ],
)
def test_a_schedule_is_told_in_a_few_words(schedule: Schedule, told: str) -> None:
    assert plan_words.told_schedule(schedule) == told


def test_days_and_hours_are_read_as_people_write_them() -> None:
    assert plan_words.parse_weekly("Monday,THU@18:00") == Weekly(
        frozenset({Weekday.MONDAY, Weekday.THURSDAY}), time(18)
    )
    assert plan_words.parse_monthly("1@6:05") == Monthly(1, time(6, 5))
    limit = plan_words.parse_bandwidth("22:00-6:00=500/1000")
    assert (limit.begin, limit.end, limit.upload, limit.download) == (time(22), time(6), 500, 1000)


@pytest.mark.parametrize(
    "options",
    [
        ("--daily", "25:00"),
        ("--daily", "noon"),
        ("--weekly", "18:00"),
        ("--weekly", "someday@18:00"),
        ("--monthly", "32@18:00"),
        ("--daily", "18:00", "--every", "2"),
        ("--hours", "8:00-20:00"),
        ("--every", "2", "--hours", "8 to 20"),
        ("--bandwidth", "fast"),
        ("--keep", "short", "--keep-daily", "3"),
        ("--keep-daily", "0"),
        ("--to", "s3:https://user:hunter2@host/bucket"),
        ("--on-plug",),
    ],
)
def test_what_makes_no_sense_is_refused_and_no_plan_is_kept(
    shell: CommandLine, options: tuple[str, ...]
) -> None:
    answer = shell.run("plan", "add", "Projects", "/srv", *options)

    assert answer.code == 1
    assert "hunter2" not in answer.err + answer.out
    assert shell.ok("plan", "list", "--json").records == []


def test_editing_changes_what_was_named_and_nothing_else(shell: CommandLine) -> None:
    shell.ok("plan", "add", "Projects", "/srv", "--daily", "18:00", "--exclude", "*.tmp")
    before = listed(shell)

    shell.ok("plan", "edit", "projects", "--weekly", "mon@9:00", "--rename", "Work")
    after = listed(shell)

    assert (after["name"], after["schedule"]) == ("Work", "mon at 09:00")
    assert (after["id"], after["what"]) == (before["id"], "/srv")
    file = json.loads((shell.home / ".config/everboot/plans.json").read_text())
    assert file["plans"][0]["excludes"] == ["*.tmp"]


def test_usual_choices_leave_out_what_they_name(shell: CommandLine) -> None:
    shell.ok("plan", "add", "Projects", "/srv", "--leave-out", "caches,trash", "--exclude", "*.o")

    file = json.loads((shell.home / ".config/everboot/plans.json").read_text())
    assert {"*.o", "node_modules/", "$RECYCLE.BIN/"} <= set(file["plans"][0]["excludes"])
    assert "usual choice" in shell.run("plan", "edit", "Projects", "--leave-out", "dreams").err


def test_a_plan_has_a_repository_and_password_of_its_own(
    shell: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "projects").mkdir()
    own = shell.having(EVERBOOT_REPOSITORY=str(tmp_path / "elsewhere"))
    own.ok("init")
    own.ok(
        "plan", "add", "Projects", tmp_path / "projects", "--to", tmp_path / "elsewhere",
        "--keep-secrets", "--keep", "balanced",
    )  # fmt: skip

    later = shell.having(EVERBOOT_REPOSITORY="", EVERBOOT_PASSWORD="")
    assert later.ok("plan", "run", "Projects", "--json").of_type("summary")[0]["outcome"] == "done"
    preview = later.ok("plan", "preview", "Projects", "--keep-last", "1", "--json")
    assert [point["action"] for point in preview.of_type("point")] == ["keep"]
    assert "1 stay and 0 go" in later.ok("plan", "preview", "Projects").out
    for file in (tmp_path / ".config/everboot").iterdir():
        assert PASSWORD.encode() not in file.read_bytes()


def test_a_pause_is_shown_and_ends_when_told(shell: CommandLine) -> None:
    shell.ok("plan", "add", "Projects", "/srv", "--daily", "18:00")

    shell.ok("plan", "pause", "--for", "5")
    assert "paused until" in shell.ok("status").out
    shell.ok("plan", "resume")
    assert "paused until" not in shell.ok("status").out


def test_settings_are_kept(shell: CommandLine) -> None:
    assert shell.ok("settings", "--json").records[0]["obeys_console"] is True

    shell.ok("settings", "--no-obey-console", "--upload", "500")

    (settings,) = shell.ok("settings", "--json").records
    assert (settings["obeys_console"], settings["upload_limit"]) == (False, 500)


def test_status_says_first_what_is_wrong_and_what_mends_it(shell: CommandLine) -> None:
    (concern,) = shell.ok("status", "--json").of_type("concern")

    assert (concern["kind"], concern["remedy"]) == ("no_plan", "add_plan")
    assert shell.ok("status").out.startswith("Unprotected. No backup yet.")
