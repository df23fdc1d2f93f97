"""Where a disk is not restored to: too small, in use, holding something."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from backup_agent.errors import (
    TargetError,
    TargetInUseError,
    TargetTooSmallError,
)
from backup_agent.host.api import WritableDisk
from backup_agent.host.select import current_host
from backup_agent.model.disk import (
    Disk,
)
from tests.helpers.fake_host import FakeHost
from tests.helpers.restored_disk import plan_disk_restore, restore_disk
from tests.unit.small_disk import MIB, SIZE, SmallDisk


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "disk.img"


def blocks(path: Path) -> int:
    return path.stat().st_blocks * 512


# Refusals


def test_restore_refuses_target_smaller_than_disk(target: Path) -> None:
    with open(target, "wb") as file:
        file.truncate(3 * MIB)
    with pytest.raises(TargetTooSmallError, match="Not shrunk are volume 1"):
        restore_disk(SmallDisk(), target)
    assert blocks(target) == 0


def test_restore_refuses_target_that_holds_something(target: Path) -> None:
    target.write_bytes(b"x" * SIZE)
    with pytest.raises(TargetError, match="not empty"):
        restore_disk(SmallDisk(), target)
    assert target.read_bytes() == b"x" * SIZE


def test_restore_overwrites_where_asked_and_leaves_nothing_of_the_old(target: Path) -> None:
    target.write_bytes(b"x" * (SIZE + 5))
    stored = SmallDisk()
    restore_disk(stored, target, overwrite=True)
    assert target.read_bytes() == stored.image


def test_empty_file_may_be_filled(target: Path) -> None:
    target.touch()
    restore_disk(SmallDisk(), target)
    assert target.stat().st_size == SIZE


class LateHost(FakeHost):
    """Somebody puts a file in the target's place after the plan was made."""

    def open_target(self, disk: Disk, *, create: bool = False) -> WritableDisk:
        Path(disk.path).write_bytes(b"precious")
        return current_host().open_target(disk, create=create)


def test_file_that_appears_after_planning_is_not_touched(target: Path) -> None:
    with pytest.raises(TargetError, match="File exists"):
        restore_disk(SmallDisk(), target, host=LateHost())
    assert target.read_bytes() == b"precious"


def test_restore_refuses_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="neither a disk nor a file"):
        restore_disk(SmallDisk(), tmp_path)


def test_restore_refuses_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="does not exist"):
        restore_disk(SmallDisk(), tmp_path / "absent" / "disk.img")


def test_device_that_is_not_there_is_no_new_image_file(tmp_path: Path) -> None:
    link = tmp_path / "stick"
    link.symlink_to("/dev/everboot-has-no-such-disk")
    for path in (link, link.readlink()):
        with pytest.raises(TargetError, match="There is no device"):
            plan_disk_restore(SmallDisk(), path)
    assert not link.exists()


class LoopHost(FakeHost):
    """Shows every image file as a loop device."""

    def attached_as(self, path: str) -> list[str]:
        return ["/dev/loop7"]


def test_restore_refuses_an_image_that_a_device_shows(target: Path) -> None:
    target.write_bytes(b"x" * SIZE)
    with pytest.raises(TargetInUseError, match="is attached as /dev/loop7"):
        plan_disk_restore(SmallDisk(), target, overwrite=True, host=LoopHost())


def test_restore_refuses_a_read_only_target(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may write everywhere, so the answer is given in its place.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(TargetError, match="is read-only"):
        restore_disk(SmallDisk(), target)


@pytest.mark.parametrize(
    ("places", "words"),
    [(["/mnt/old"], r"in use \(/mnt/old\)"), (["/", "/home"], "holds the running system")],
)
def test_restore_refuses_what_is_mounted(target: Path, places: list[str], words: str) -> None:
    target.write_bytes(b"x" * SIZE)
    host = FakeHost(mounted={str(target): places})
    with pytest.raises(TargetInUseError, match=words):
        plan_disk_restore(SmallDisk(), target, overwrite=True, host=host)


def test_restore_refuses_the_disk_that_holds_the_repository(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target.write_bytes(b"x" * SIZE)
    repository = target.parent / "mounted" / "repository"
    repository.mkdir(parents=True)
    monkeypatch.setattr(Path, "is_mount", lambda path: path == repository.parent)
    host = FakeHost(mounted={str(target): [str(repository.parent)]})
    with pytest.raises(TargetInUseError, match="holds the repository"):
        plan_disk_restore(
            SmallDisk(), target, overwrite=True, host=host, repository=str(repository)
        )


def test_restore_refuses_a_file_inside_the_repository(target: Path) -> None:
    with pytest.raises(TargetInUseError, match="inside the repository"):
        plan_disk_restore(SmallDisk(), target, repository=str(target.parent))


def test_restore_refuses_an_image_that_another_restore_writes(target: Path) -> None:
    host = current_host()
    plan = plan_disk_restore(SmallDisk(), target)
    other = host.open_target(plan.target, create=True)
    try:
        with pytest.raises(TargetInUseError, match="in use by another program"):
            host.open_target(plan.target)
    finally:
        other.close()


def test_restore_refuses_storage_without_room_for_the_data(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = (SIZE, SIZE - MIB, MIB)
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("U", (), {"free": usage[2]})())
    with pytest.raises(
        TargetTooSmallError, match="4194304 bytes at least will be written, 1048576"
    ):
        plan_disk_restore(SmallDisk(), target)


def test_unused_parts_of_a_stored_mib_need_no_room(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("U", (), {"free": MIB})())
    disk = SmallDisk()
    disk.volumes = [replace(disk.volumes[0], used_bytes=MIB)]
    assert plan_disk_restore(disk, target).room == MIB


def test_room_is_asked_for_over_a_file_that_is_replaced_and_what_that_takes_counts(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = 4 * MIB - 8192
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("U", (), {"free": free})())
    target.write_bytes(b"x")
    with pytest.raises(TargetTooSmallError, match="not enough room"):
        plan_disk_restore(SmallDisk(), target, overwrite=True)
    target.write_bytes(b"x" * 16384)
    assert plan_disk_restore(SmallDisk(), target, overwrite=True).room == 4 * MIB
