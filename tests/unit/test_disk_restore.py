"""Restoring into an image file: what is planned, what is refused, what failure leaves."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from backup_agent.targets.disk_image import plan_disk_image, restore_disk_image

from backup_agent.errors import (
    IntegrityError,
    JobCancelledError,
    TargetError,
    TargetInUseError,
    TargetTooSmallError,
)
from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import (
    Area,
    AreaKind,
    DiskLayout,
    Extent,
    FileSystem,
    FileSystemKind,
    Partition,
    PartitionTable,
    TableKind,
    Volume,
)
from backup_agent.model.events import ignore
from tests.helpers.fake_host import FakeHost

KIB = 1 << 10
MIB = 1 << 20
SIZE = 4 * MIB


class SmallDisk:
    """A stored disk of one volume, with GPT-like areas; ``part`` replaces its content."""

    def __init__(self, part: list[bytes] | None = None) -> None:
        partition = Partition(1, MIB, 2 * MIB, "X")
        table = PartitionTable(TableKind.GPT, 512, "ID", (partition,), Extent(512, 512))
        head = Area("head.img", AreaKind.HEAD, Extent(0, MIB))
        tail = Area("tail.img", AreaKind.TAIL, Extent(SIZE - 512, 512))
        self.layout = DiskLayout(SIZE, table, (head, tail))
        system = FileSystem(FileSystemKind.NTFS, "Windows")
        self.volumes = [Volume(1, MIB, 2 * MIB, system, part_size=MIB)]
        self._part = [b"\x11" * MIB] if part is None else part

    def read_area(self, name: str) -> Iterator[bytes]:
        yield b"h" * MIB if name == "head.img" else b"t" * 512

    def read_part(self, volume: int, part: int) -> Iterator[bytes]:
        yield from self._part


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "disk.img"


def restore(stored: SmallDisk, target: Path, *, overwrite: bool = False) -> None:
    plan = plan_disk_image(stored, target, overwrite=overwrite, host=FakeHost())
    restore_disk_image(plan, stored, emit=ignore, cancel=CancelToken())


def test_plan_says_what_will_be_written_and_the_table_comes_last(target: Path) -> None:
    plan = plan_disk_image(SmallDisk(), target, overwrite=False, host=FakeHost())
    assert list(plan.lines()) == [
        f"create {target}, 4194304 bytes",
        "write volume 1 (ntfs 'Windows') to bytes 1048576 to 3145727",
        "write the disk's end to bytes 4193792 to 4194303",
        "write the partition table and boot code to bytes 0 to 1048575",
    ]


def test_planning_touches_nothing(target: Path) -> None:
    plan_disk_image(SmallDisk(), target, overwrite=False, host=FakeHost())
    assert not target.exists()


def test_every_byte_is_where_the_layout_says(target: Path) -> None:
    restore(SmallDisk(), target)
    expected = b"h" * MIB + b"\x11" * 2 * MIB + bytes(MIB - 512) + b"t" * 512
    assert target.read_bytes() == expected


def test_zeros_between_data_become_holes_whatever_the_pieces(target: Path) -> None:
    pieces = [b"\x01" * 1000, bytes(500 * KIB), b"\x02" * (MIB - 500 * KIB - 1000)]
    restore(SmallDisk(pieces), target)
    assert target.read_bytes()[MIB : 2 * MIB] == b"".join(pieces)
    assert target.stat().st_blocks * 512 < 3 * MIB - 2 * 400 * KIB


def test_restore_refuses_target_smaller_than_disk(target: Path) -> None:
    target.write_bytes(b"x" * 100)
    with pytest.raises(TargetTooSmallError, match="holds 100 bytes, the disk 4194304"):
        restore(SmallDisk(), target)
    assert target.read_bytes() == b"x" * 100


def test_restore_refuses_target_that_holds_something(target: Path) -> None:
    target.write_bytes(b"x" * SIZE)
    with pytest.raises(TargetError, match="not empty"):
        restore(SmallDisk(), target)
    assert target.read_bytes() == b"x" * SIZE


def test_restore_overwrites_where_asked_and_leaves_nothing_of_the_old(target: Path) -> None:
    target.write_bytes(b"x" * (SIZE + 5))
    restore(SmallDisk(), target, overwrite=True)
    assert target.stat().st_size == SIZE
    assert b"x" not in target.read_bytes()


def test_empty_file_may_be_filled(target: Path) -> None:
    target.touch()
    restore(SmallDisk(), target)
    assert target.stat().st_size == SIZE


def test_file_that_appears_after_planning_is_not_touched(target: Path) -> None:
    stored = SmallDisk()
    plan = plan_disk_image(stored, target, overwrite=False, host=FakeHost())
    target.write_bytes(b"precious")
    with pytest.raises(TargetError, match="File exists"):
        restore_disk_image(plan, stored, emit=ignore, cancel=CancelToken())
    assert target.read_bytes() == b"precious"


def test_restore_refuses_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="is not a file"):
        restore(SmallDisk(), tmp_path)


def test_restore_refuses_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="does not exist"):
        restore(SmallDisk(), tmp_path / "absent" / "disk.img")


def test_restore_refuses_a_read_only_target(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may write everywhere, so the answer is given in its place.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(TargetError, match="is read-only"):
        restore(SmallDisk(), target)


def test_restore_refuses_a_mounted_image(target: Path) -> None:
    target.write_bytes(b"x" * SIZE)
    host = FakeHost(mounted={str(target): ["/mnt/old"]})
    with pytest.raises(TargetInUseError, match=r"in use \(/mnt/old\)"):
        plan_disk_image(SmallDisk(), target, overwrite=True, host=host)


@pytest.mark.parametrize("size", [0, MIB - 1, MIB + 1])
def test_part_of_the_wrong_length_is_an_integrity_error_and_leaves_no_table(
    target: Path, size: int
) -> None:
    with pytest.raises(IntegrityError, match="part 0 of volume 1 is not as long"):
        restore(SmallDisk([b"\x11" * size]), target)
    assert target.read_bytes()[:MIB] == bytes(MIB)


def test_volume_that_is_missing_is_an_integrity_error(target: Path) -> None:
    stored = SmallDisk()
    stored.volumes = []
    with pytest.raises(IntegrityError, match="none instead of 1"):
        restore(stored, target)


def test_volume_in_another_place_is_an_integrity_error(target: Path) -> None:
    stored = SmallDisk()
    stored.volumes = [replace(stored.volumes[0], start=0)]
    with pytest.raises(IntegrityError, match="in other places"):
        restore(stored, target)


def test_cancelled_restore_leaves_no_table(target: Path) -> None:
    stored = SmallDisk()
    plan = plan_disk_image(stored, target, overwrite=False, host=FakeHost())
    cancel = CancelToken()
    with pytest.raises(JobCancelledError):
        restore_disk_image(plan, stored, emit=lambda _event: cancel.cancel(), cancel=cancel)
    assert target.read_bytes()[:MIB] == bytes(MIB)


def test_full_disk_is_told_as_such(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TargetTooSmallError, match="not enough room"):
        restore(SmallDisk(), target)
