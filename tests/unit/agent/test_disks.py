"""Plans of disks: one that changes while it is read needs somebody's word."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backup_agent.agent.agenda import Order
from backup_agent.agent.carry_out import carry_out
from backup_agent.agent.plan import Plan
from backup_agent.agent.ran import Outcome, Ran
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, ignore
from backup_agent.services.repositories import Repository
from backup_agent.storage.memory import MemoryBackend
from tests.command_line import CommandLine
from tests.helpers.disk_images import MIB, make_disk
from tests.helpers.fake_host import FakeHost
from tests.unit.maintenance.workshop import create

NOW = datetime(2030, 3, 1, 12, tzinfo=UTC)
SCRIPT = "label: dos\nlabel-id: 0x12345678\nstart=1MiB, size=2MiB, type=83\n"


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """One that is mounted at /home."""
    image = str(make_disk(tmp_path / "disk.img", 4 * MIB, SCRIPT))
    host = FakeHost(mounted={image: ["/home"]})
    monkeypatch.setattr("backup_agent.host.select.current_host", lambda: host)
    return image


class NewRepository:
    """In memory, for any plan."""

    def folder(self, _plan: Plan) -> Path | None:
        return None

    @contextmanager
    def opened(self, plan: Plan, *, emit: Emit, cancel: CancelToken) -> Iterator[Repository]:
        yield create(MemoryBackend())


def carried_out(plan: Plan) -> Ran:
    return carry_out(
        Order(plan), NewRepository(), emit=ignore, cancel=CancelToken(), now=lambda: NOW
    )


def test_a_plan_refuses_a_disk_in_use_and_says_what_to_try(disk: str) -> None:
    ran = carried_out(Plan(id="7", name="Disk", disks=(disk,)))

    assert ran.outcome is Outcome.FAILED
    assert "in use (/home)" in ran.message
    assert "--allow-mounted" in ran.hint
    assert ran.snapshot == ""


def test_a_plan_reads_a_disk_in_use_where_that_was_chosen(disk: str) -> None:
    ran = carried_out(Plan(id="7", name="Disk", disks=(disk,), allow_mounted=True))

    assert (ran.outcome, ran.kind) == (Outcome.DONE, "disk")


def test_whoever_adds_a_plan_chooses_whether_disks_in_use_are_taken(tmp_path: Path) -> None:
    shell = CommandLine(tmp_path)

    shell.ok("plan", "add", "Careful", "--machine")
    shell.ok("plan", "add", "As it is", "--machine", "--allow-mounted")

    listed = shell.ok("plan", "list", "--json").of_type("plan")
    assert [plan["allow_mounted"] for plan in listed] == [False, True]
    assert "also while in use" in shell.ok("plan", "list").out
    assert shell.run("plan", "add", "Files", "/srv", "--allow-mounted").code == 1
