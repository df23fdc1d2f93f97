"""Writing rescue media to a USB key: which disks are refused, and that it is read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from backup_agent.errors import (
    IntegrityError,
    JobCancelledError,
    TargetError,
    TargetInUseError,
    TargetTooSmallError,
)
from backup_agent.host.api import WritableDisk
from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import Disk
from backup_agent.model.events import Event, Progress, ignore
from backup_agent.services.media.key import plan_key, write_key
from tests.helpers.fake_host import FakeHost
from tests.helpers.small_medium import make_small_medium

KEY_SIZE = 16 << 20


class HostWithKey(FakeHost):
    """Its one disk is a USB key, which a file stands in for."""

    def __init__(self, key: Disk, *, mounts: Sequence[str] = ()) -> None:
        super().__init__(mounted={key.path: mounts})
        self._key = key

    def disks(self) -> list[Disk]:
        return [self._key]


class _Forgetful:
    """A key that loses one byte of what is written to it."""

    def __init__(self, below: WritableDisk) -> None:
        self._below = below

    def __getattr__(self, name: str) -> object:
        return getattr(self._below, name)

    def read(self, start: int, size: int) -> bytes:
        data = bytearray(self._below.read(start, size))
        data[len(data) // 2] ^= 1
        return bytes(data)


class HostWithForgetfulKey(HostWithKey):
    def open_target(self, disk: Disk, *, create: bool = False) -> WritableDisk:
        return _Forgetful(super().open_target(disk))  # type: ignore[return-value] # by __getattr__


@pytest.fixture(name="medium")
def _medium(tmp_path: Path) -> Path:
    return make_small_medium(tmp_path)


@pytest.fixture(name="key")
def _key(tmp_path: Path) -> Disk:
    file = tmp_path / "key"
    file.write_bytes(b"\xff" * KEY_SIZE)
    path = str(file)
    return Disk(path, path, KEY_SIZE, 512, model="Stick", transport="usb", removable=True)


def test_a_key_holds_the_image_and_nothing_of_its_old_table(medium: Path, key: Disk) -> None:
    host = HostWithKey(key)
    news: list[Event] = []
    write_key(
        plan_key(medium, key.path, host=host), emit=news.append, cancel=CancelToken(), host=host
    )
    image = medium.read_bytes()
    content = Path(key.path).read_bytes()
    assert content[: len(image)] == image
    assert content[-(1 << 20) :] == bytes(1 << 20)
    last = news[-1]
    assert isinstance(last, Progress)
    assert last.bytes_done == last.bytes_total == 2 * len(image)


def test_a_built_in_disk_is_refused(medium: Path, key: Disk) -> None:
    disk = replace(key, removable=False, transport="sata")
    with pytest.raises(TargetError, match="built into this computer"):
        plan_key(medium, key.path, host=HostWithKey(disk))


def test_a_usb_disk_counts_as_removable_though_it_does_not_say_so(medium: Path, key: Disk) -> None:
    disk = replace(key, removable=False)
    assert plan_key(medium, key.path, host=HostWithKey(disk)).disk == disk


def test_a_mounted_key_is_refused(medium: Path, key: Disk) -> None:
    with pytest.raises(TargetInUseError, match="/media/stick"):
        plan_key(medium, key.path, host=HostWithKey(key, mounts=["/media/stick"]))


def test_a_key_smaller_than_the_image_is_refused(medium: Path, key: Disk) -> None:
    with pytest.raises(TargetTooSmallError):
        plan_key(medium, key.path, host=HostWithKey(replace(key, size=1 << 20)))


def test_a_write_protected_key_is_refused(medium: Path, key: Disk) -> None:
    with pytest.raises(TargetError, match="write-protected"):
        plan_key(medium, key.path, host=HostWithKey(replace(key, read_only=True)))


def test_a_partition_or_a_file_is_no_key(medium: Path, key: Disk, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="no disk"):
        plan_key(medium, str(tmp_path / "other"), host=HostWithKey(key))


def test_an_iso_of_something_else_is_not_written(key: Disk) -> None:
    with pytest.raises(IntegrityError):
        plan_key(Path(key.path), key.path, host=HostWithKey(key))


def test_a_key_that_reads_otherwise_than_it_was_written_is_reported(
    medium: Path, key: Disk
) -> None:
    host = HostWithForgetfulKey(key)
    with pytest.raises(IntegrityError, match="does not read as it was written"):
        write_key(
            plan_key(medium, key.path, host=host), emit=ignore, cancel=CancelToken(), host=host
        )


def test_writing_stops_when_asked(medium: Path, key: Disk) -> None:
    host = HostWithKey(key)
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(JobCancelledError):
        write_key(plan_key(medium, key.path, host=host), emit=ignore, cancel=cancel, host=host)
