"""What is promised before a restore so that the disk starts, and in which order it is done."""

from __future__ import annotations

from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import FileSystem, FileSystemKind, Volume
from rescue_media.boot_repair.execute import Outcome, Result
from rescue_media.errands.boot import Repaired, promised_repairs, repair_disk, repair_disks


def volume(kind: FileSystemKind) -> Volume:
    return Volume(1, 0, 4096, FileSystem(kind))


def test_windows_and_linux_are_promised_what_each_of_them_needs() -> None:
    windows = " ".join(promised_repairs([volume(FileSystemKind.NTFS)]))
    linux = " ".join(promised_repairs([volume(FileSystemKind.EXT4)]))
    assert "storage drivers" in windows
    assert "fstab" not in windows
    assert "fstab" in linux
    assert "Hibernated" not in linux
    assert "The firmware" in windows
    assert "The firmware" in linux


def test_the_first_disk_is_the_last_that_the_firmware_is_told_of() -> None:
    asked: list[str] = []
    told: list[str] = []

    def repair(disk: str, _cancel: CancelToken) -> Repaired:
        asked.append(disk)
        outcome = Outcome(f"Start {disk}", Result.LEFT_OUT, "It has no loader.")
        return Repaired((outcome,), (f"Mind {disk}.",), starts_by_list=disk == "/dev/sda")

    repaired = repair_disks(["/dev/sda", "/dev/sdb"], repair, told.append, CancelToken())
    assert asked == ["/dev/sdb", "/dev/sda"]
    assert repaired.starts_by_list
    assert repaired.warnings == ("Mind /dev/sdb.", "Mind /dev/sda.")
    assert tuple(repaired.sentences(Result.DONE)) == ()
    assert "Left out: Start /dev/sda. It has no loader." in told


def test_a_disk_that_cannot_be_looked_at_is_told_and_nothing_is_raised() -> None:
    repaired = repair_disk("/dev/there-is-no-such-disk", CancelToken())
    (failed,) = repaired.outcomes
    assert failed.result is Result.FAILED
    assert failed.words
    assert not repaired.starts_by_list
