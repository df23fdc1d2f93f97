"""A disk that is back is made to start, and the computer restarts as its firmware needs it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QApplication

from backup_agent.model.cancel import CancelToken
from backup_agent.services.inventory import DiskView, inspect_disks
from rescue_media.boot_repair.execute import Outcome, Result
from rescue_media.boot_repair.restart import RestartPlan
from rescue_media.errands.boot import Repaired
from rescue_media.errands.machine import Machine
from rescue_media.flow import moves as m
from rescue_media.flow import pages as p
from rescue_media.flow.pages import Surroundings
from tests.rescue.computers import back_up_computer
from tests.rescue.test_the_whole_way import empty_disk, go_to_mapping
from tests.rescue.walker import Screen, Walker

DONE = Outcome("Enter 'Windows' into the firmware's list", Result.DONE)
LEFT_OUT = Outcome("Boot sectors", Result.LEFT_OUT, "They say already where they lie.")
FAILED = Outcome("Forget the hibernated session", Result.FAILED, "The disk says: no space.")


class Computer:
    """One whose only disk is a file that passes for a device."""

    def __init__(self, disk: Path, *outcomes: Outcome) -> None:
        self.disk = disk
        self.repaired: list[str] = []
        self.restarts: list[RestartPlan] = []
        self._outcomes = outcomes

    def machine(self) -> Machine:
        return Machine(
            views=self._views,
            on_medium=True,
            repair=self._repair,
            restart=self.restarts.append,
        )

    def _views(self, repository: str) -> list[DiskView]:
        views = inspect_disks([str(self.disk)], repository=repository)
        return [replace(view, disk=replace(view.disk, is_image=False)) for view in views]

    def _repair(self, disk: str, _cancel: CancelToken) -> Repaired:
        self.repaired.append(disk)
        return Repaired(self._outcomes, ("Have the recovery key at hand.",), starts_by_list=True)


def restore(screen: Screen, folder: Path, computer: Computer) -> tuple[Walker, p.Done]:
    backed_up = back_up_computer(folder, "windows-gpt")
    empty_disk(computer.disk, backed_up.computer.image.stat().st_size)
    walker = screen.open(machine=computer.machine(), surroundings=Surroundings(on_medium=True))
    mapping = go_to_mapping(walker, backed_up)
    walker.session.send(m.MapTo("disk0", mapping.destinations[0]))
    walker.until(p.Mapping)
    walker.press("OK")
    walker.until(p.Confirm)
    assert "Hibernated Windows" in walker.words()
    assert not computer.repaired
    walker.press("OK")
    return walker, walker.until(p.Done)


def test_the_report_names_each_step_and_the_restart_is_the_planned_one(
    screen: Screen, tmp_path: Path
) -> None:
    computer = Computer(tmp_path / "new.img", DONE, LEFT_OUT)
    walker, done = restore(screen, tmp_path, computer)

    assert computer.repaired == [str(computer.disk)]
    assert done.report.is_complete
    words = walker.words()
    for sentence in (DONE.title, f"{LEFT_OUT.title}. {LEFT_OUT.words}", "recovery key", "Restarts"):
        assert sentence in words
    walker.press("Restart now")
    walker.qtbot.waitUntil(lambda: bool(computer.restarts))
    assert done.report.restart is not None
    assert [plan.seconds for plan in computer.restarts] == [done.report.restart.seconds]


def test_a_step_that_failed_is_told_and_keeps_the_computer_from_restarting(
    screen: Screen, tmp_path: Path
) -> None:
    computer = Computer(tmp_path / "new.img", FAILED)
    walker, done = restore(screen, tmp_path, computer)

    assert not done.report.is_complete
    assert "may not start" in done.report.title
    QApplication.processEvents()
    assert "Restarts in" not in walker.words()
    assert not computer.restarts
