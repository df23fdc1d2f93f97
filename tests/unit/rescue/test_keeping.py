"""What is kept beyond a page: the log, the keyboard's layout; and what the computer is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from backup_agent.errors import TargetError
from backup_agent.host.api import Host
from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import Disk
from backup_agent.model.events import ItemSkipped, Notice, Progress, ignore
from backup_agent.model.machine import Firmware
from rescue_media.errands.errands import Errands
from rescue_media.errands.machine import Machine
from rescue_media.errands.this_computer import this_computer
from rescue_media.errands.work_log import WorkLog
from rescue_media.flow import answers as a
from rescue_media.flow import moves as m
from rescue_media.flow import pages as p
from rescue_media.flow import settings_moves as s
from rescue_media.flow import wishes as w
from rescue_media.flow.pages import Flow
from rescue_media.flow.values import Report
from tests.unit.rescue.test_flow import walk

NOW = datetime(2026, 11, 16, 18, 4, tzinfo=UTC)


class _Computer:
    firmware = Firmware.UEFI

    def disks(self) -> list[Disk]:
        return [Disk("/dev/sda", "/dev/sda", 2 * 10**12, 512, model="WD Blue")]


def test_the_log_holds_what_was_told_and_no_progress(tmp_path: Path) -> None:
    log = WorkLog(now=lambda: NOW)
    emit = log.listening(ignore)
    emit(Notice("Restoring Disk 0 to /dev/sda."))
    emit(Progress("restore", bytes_done=1))
    emit(ItemSkipped("/a", "it is locked", "read"))
    log.save(tmp_path / "log.txt")
    assert (tmp_path / "log.txt").read_text().splitlines() == [
        "2026-11-16 18:04:00Z Restoring Disk 0 to /dev/sda.",
        "2026-11-16 18:04:00Z Left out: /a: it is locked",
    ]


def test_why_something_failed_stands_in_the_log(tmp_path: Path) -> None:
    errands = Errands({})
    with pytest.raises(TargetError) as refused:
        errands.perform(w.SaveLog(str(tmp_path / "absent" / "log")), ignore, CancelToken())
    file = tmp_path / "log.txt"
    assert errands.perform(w.SaveLog(str(file)), ignore, CancelToken()) == a.LogSaved(str(file))
    assert refused.value.message in file.read_text()
    errands.close()


def test_the_last_page_names_the_file_that_the_log_was_saved_to() -> None:
    done = Flow(p.Done(Report("Everything is back", ())))
    flow, wish = walk(m.SaveLog("/media/usb/log.txt"), flow=done)
    assert wish == w.SaveLog("/media/usb/log.txt")
    flow, _ = walk(a.LogSaved("/media/usb/log.txt"), flow=flow)
    assert flow.page == p.Done(Report("Everything is back", ()), "/media/usb/log.txt")


def test_another_keyboard_is_left_for_the_window_that_comes_next(tmp_path: Path) -> None:
    _, wish = walk(s.OpenKeyboard(), s.UseKeyboard("fr"))
    assert isinstance(wish, w.UseKeyboard)
    errands = Errands({}, Machine(lasting=tmp_path))
    errands.perform(wish, ignore, CancelToken())
    errands.close()
    assert (tmp_path / "keyboard").read_text() == "fr\n"
    assert (tmp_path / "window-again").exists()


def test_the_computer_is_named_with_its_disks_and_secure_boot(tmp_path: Path) -> None:
    for name, content in {
        "sys/class/dmi/id/sys_vendor": b"Dell\n",
        "sys/class/dmi/id/product_name": b"OptiPlex 7090\n",
        "proc/meminfo": b"MemFree: 1 kB\nMemTotal: 15625000 kB\n",
        "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c": (
            b"\x06\0\0\0\x01"
        ),
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    found = this_computer(cast("Host", _Computer()), tmp_path)
    assert found is not None
    assert found.shown == "Dell OptiPlex 7090, 16 GB memory, UEFI, Secure Boot on"
    assert found.disks == (("Disk 0", "WD Blue, 2 TB"),)
