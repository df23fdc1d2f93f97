"""When a plan is due, and where plans are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backup_agent.agent.plan import Plan, next_run
from backup_agent.agent.plan_file import find_plan, load_plans, plans_file, save_plans
from backup_agent.errors import UsageError

NOW = datetime(2030, 3, 1, 12, tzinfo=UTC)
DAILY = Plan(id="1", name="Projects", paths=("/srv",), every_hours=24)


def test_a_plan_without_hours_waits_to_be_asked() -> None:
    assert next_run(Plan(id="1", name="Once"), NOW, now=NOW) is None


def test_a_plan_that_never_ran_is_due_now() -> None:
    assert next_run(DAILY, None, now=NOW) == NOW


@pytest.mark.parametrize(("hours_ago", "due_in"), [(1, 23), (24, 0), (72, -48)])
def test_a_plan_is_due_its_hours_after_the_last_start(hours_ago: int, due_in: int) -> None:
    started = NOW - timedelta(hours=hours_ago)

    assert next_run(DAILY, started, now=NOW) == NOW + timedelta(hours=due_in)


def test_a_start_in_the_future_does_not_hold_a_plan_back() -> None:
    assert next_run(DAILY, NOW + timedelta(days=400), now=NOW) == NOW


def test_plans_come_back_as_they_were_saved(tmp_path: Path) -> None:
    file = plans_file({"XDG_CONFIG_HOME": str(tmp_path)})
    plans = (DAILY, Plan(id="2", name="Machine", machine=True))
    assert load_plans(file) == ()

    save_plans(plans, file)

    assert load_plans(file) == plans
    assert [each.name for each in file.parent.iterdir()] == ["plans.json"]


def test_a_damaged_file_is_told_and_not_taken_for_empty(tmp_path: Path) -> None:
    file = tmp_path / "plans.json"
    file.write_text('{"plans": [')

    with pytest.raises(UsageError, match="cannot be read"):
        load_plans(file)


def test_a_plan_is_found_by_name_whatever_its_case_and_by_id() -> None:
    assert find_plan([DAILY], "PROJECTS") == find_plan([DAILY], "1") == DAILY
    with pytest.raises(UsageError, match="no plan called"):
        find_plan([DAILY], "Project")
