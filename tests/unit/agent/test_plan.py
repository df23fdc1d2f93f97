"""Where plans are kept, and that none is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from backup_agent.agent.plan import Plan
from backup_agent.agent.plan_file import find_plan, load_plans, plans_file, save_plans
from backup_agent.agent.schedule import EveryHours
from backup_agent.errors import UsageError

DAILY = Plan(id="1", name="Projects", paths=("/srv",), schedule=EveryHours(24))


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
