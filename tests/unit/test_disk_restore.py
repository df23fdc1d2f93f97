"""Restoring into an image file: what is planned and written, and what failure leaves."""

from __future__ import annotations

import errno
import os
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from backup_agent.errors import (
    IntegrityError,
    JobCancelledError,
    NoSuchPointError,
    StorageError,
    TargetError,
    TargetTooSmallError,
)
from backup_agent.host.api import WritableDisk
from backup_agent.host.select import current_host
from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import (
    Disk,
)
from backup_agent.targets.disk.task import Wishes
from tests.helpers.fake_host import FakeHost
from tests.helpers.restored_disk import plan_disk_restore, restore_disk
from tests.unit.small_disk import BOOT, KIB, MIB, SIZE, SmallDisk


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "disk.img"


def blocks(path: Path) -> int:
    return path.stat().st_blocks * 512


def test_plan_says_what_will_be_written_and_the_table_comes_last(target: Path) -> None:
    assert list(plan_disk_restore(SmallDisk(), target).lines()) == [
        f"create {target}, 8388608 bytes",
        "wipe old tables and file systems (3 places)",
        "write volume 1 (unknown 'Windows') to bytes 1048576 to 5242879",
        "write the first MiB of each volume",
        "write the disk's end to bytes 8388096 to 8388607",
        "write the partition table and boot code to bytes 0 to 1048575",
    ]


def test_plan_says_that_a_hybrid_record_is_lost_where_the_table_is_made_anew(target: Path) -> None:
    protective = struct.pack("<B3sB3sII", 0, b"", 0xEE, b"", 1, 2047)
    windows = struct.pack("<B3sB3sII", 0x80, b"", 0x07, b"", 2048, 8192)
    record = bytes(446) + protective + windows + bytes(32) + b"\x55\xaa"
    stored = SmallDisk(begin=record.ljust(MIB, b"h"))
    # To a disk of the same size, sector 0 goes as it was.
    assert "hybrid" not in " ".join(plan_disk_restore(stored, target).notes)
    target.touch()
    os.truncate(target, SIZE + MIB)
    assert "The disk's MBR is a hybrid" in " ".join(plan_disk_restore(stored, target).notes)
    plain = SmallDisk(begin=(bytes(446) + protective + bytes(48) + b"\x55\xaa").ljust(MIB, b"h"))
    assert "hybrid" not in " ".join(plan_disk_restore(plain, target).notes)


def test_planning_touches_nothing(target: Path) -> None:
    plan_disk_restore(SmallDisk(), target)
    assert not target.exists()


def test_every_byte_is_where_the_layout_says(target: Path) -> None:
    stored = SmallDisk()
    restore_disk(stored, target)
    assert target.read_bytes() == stored.image


def test_zeros_between_data_become_holes_whatever_the_pieces(target: Path) -> None:
    pieces = [b"\x01" * 1000, bytes(500 * KIB), b"\x02" * (MIB - 500 * KIB - 1000)]
    stored = SmallDisk([pieces] * 4)
    restore_disk(stored, target)
    assert target.read_bytes() == stored.image
    assert blocks(target) < 5 * MIB - 4 * 300 * KIB


def test_zeros_in_the_middle_of_a_blob_become_holes(target: Path) -> None:
    piece = b"\x01" * 1000 + bytes(500 * KIB) + b"\x02" * (MIB - 500 * KIB - 1000)
    stored = SmallDisk([[piece]] * 4)
    restore_disk(stored, target)
    assert target.read_bytes() == stored.image
    assert blocks(target) < 5 * MIB - 4 * 300 * KIB


def test_zero_blobs_are_not_fetched(target: Path) -> None:
    stored = SmallDisk([[b"\x01" * MIB], *[[bytes(MIB)]] * 3])
    restore_disk(stored, target)
    assert target.read_bytes() == stored.image
    assert len(stored.fetched) == BOOT + 1 + len(stored.layout.areas)


# What an interruption leaves


@pytest.mark.parametrize("fetches", range(BOOT, BOOT + 4))
def test_interrupted_restore_goes_on_and_fetches_only_what_is_missing(
    target: Path, fetches: int
) -> None:
    with pytest.raises(StorageError):
        restore_disk(SmallDisk(fetches=fetches), target)
    assert target.read_bytes()[512 : 2 * MIB] == bytes(2 * MIB - 512)
    stored = SmallDisk()
    restore_disk(stored, target)
    assert target.read_bytes() == stored.image
    # The volume's first MiB is written at the end, so it is never there yet.
    there = max(0, fetches - BOOT - 1)
    assert len(stored.fetched) == BOOT + 4 - there + len(stored.layout.areas)


def test_restore_that_goes_on_does_not_trust_what_it_finds(target: Path) -> None:
    with pytest.raises(StorageError):
        restore_disk(SmallDisk(fetches=BOOT + 4), target)
    with open(target, "r+b") as file:
        file.seek(3 * MIB + 5)
        file.write(b"changed meanwhile")
    stored = SmallDisk()
    restore_disk(stored, target)
    assert target.read_bytes() == stored.image


def test_zeros_are_restored_over_what_stands_there_in_a_restore_that_goes_on(target: Path) -> None:
    parts = [[b"\x01" * MIB], [b"\x02" * MIB], [bytes(MIB)], [b"\x04" * MIB]]
    with pytest.raises(StorageError):
        restore_disk(SmallDisk(parts, fetches=BOOT + 2), target)
    with open(target, "r+b") as file:
        file.seek(3 * MIB + 70 * KIB)
        file.write(b"no zeros")
    stored = SmallDisk(parts)
    restore_disk(stored, target)
    assert target.read_bytes() == stored.image


def test_another_restore_does_not_go_on_with_an_interrupted_one(target: Path) -> None:
    with pytest.raises(StorageError):
        restore_disk(SmallDisk(fetches=BOOT + 2), target)
    other = SmallDisk()
    other.identity = "another/0"
    with pytest.raises(TargetError, match="another restore was interrupted"):
        restore_disk(other, target)
    restore_disk(other, target, overwrite=True)
    assert target.read_bytes() == other.image


def test_finished_restore_is_not_taken_for_an_interrupted_one(target: Path) -> None:
    restore_disk(SmallDisk(), target)
    with pytest.raises(TargetError, match="not empty"):
        restore_disk(SmallDisk(), target)


@pytest.mark.parametrize("volume", [None, 1])
def test_volume_to_shrink_that_the_disk_does_not_have_is_refused(
    target: Path, volume: int | None
) -> None:
    with pytest.raises(NoSuchPointError, match="no volume 77"):
        plan_disk_restore(SmallDisk(), target, volume=volume, wishes=Wishes(shrink=77))


def test_restore_refuses_a_volume_that_is_not_there(target: Path) -> None:
    with pytest.raises(NoSuchPointError, match="no disk0/volume7"):
        plan_disk_restore(SmallDisk(), target, volume=7)


# Damage


@pytest.mark.parametrize("size", [0, MIB - 1, MIB + 1])
def test_part_of_the_wrong_length_is_an_integrity_error_before_anything_is_written(
    target: Path, size: int
) -> None:
    with pytest.raises(IntegrityError, match="Part 0 of volume 1 is not as long"):
        restore_disk(SmallDisk([[b"\x11" * size]] * 4), target)
    assert not target.exists()


def test_volume_that_is_missing_is_an_integrity_error(target: Path) -> None:
    stored = SmallDisk()
    stored.volumes = []
    with pytest.raises(IntegrityError, match="none instead of 1"):
        restore_disk(stored, target)


def test_volume_in_another_place_is_an_integrity_error(target: Path) -> None:
    stored = SmallDisk()
    stored.volumes = [replace(stored.volumes[0], start=0)]
    with pytest.raises(IntegrityError, match="in other places"):
        restore_disk(stored, target)


def test_cancelled_restore_leaves_no_table(target: Path) -> None:
    cancel = CancelToken()
    with pytest.raises(JobCancelledError):
        restore_disk(SmallDisk(), target, emit=lambda _event: cancel.cancel(), cancel=cancel)
    assert target.read_bytes()[512:MIB] == bytes(MIB - 512)


def test_full_disk_is_told_as_such(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TargetTooSmallError, match="not enough room"):
        restore_disk(SmallDisk(), target)


class ForgetfulHost(FakeHost):
    """Its disks forget one byte after everything was written."""

    def open_target(self, disk: Disk, *, create: bool = False) -> WritableDisk:
        inner = current_host().open_target(disk, create=create)
        flush = inner.flush

        def forget() -> None:
            flush()
            if inner.read(0, 1) == b"h":
                inner.write(3 * MIB + 7, b"?")

        inner.flush = forget  # type: ignore[method-assign] # the fault is the test's own
        return inner


def test_target_that_does_not_keep_what_is_written_is_found_by_reading_back(target: Path) -> None:
    with pytest.raises(IntegrityError, match=f"reads back differently at byte {3 * MIB}"):
        restore_disk(SmallDisk(), target, host=ForgetfulHost())
