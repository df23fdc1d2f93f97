"""Frozen views by LVM: a snapshot of a logical volume that lives as long as it is read.

LVM freezes the file system for the moment in which the snapshot is made, so it
shows a state that the journal need not even be replayed for. From then on,
before a block of the volume is overwritten, the kernel copies the old one into
the snapshot's own room. Where that runs full, the snapshot is lost: every read
of it fails, and the backup ends with an error.

Volumes in a thin pool share blocks with their snapshots instead, and the
pool's room.
"""

from __future__ import annotations

import errno
import fcntl
import io
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from backup_agent.errors import CommandFailedError, FreezeFailedError, HostError
from backup_agent.host.command import run

TAG = "everboot_frozen_view"
"""Marks the snapshots that are ours to remove."""

# Killed in the middle, LVM leaves a volume on which every write hangs: better wait for long.
_LVM_SECONDS = 3600.0
_COLUMNS = "vg_name,lv_name,lv_size,lv_layout,vg_extent_size,vg_free_count,lv_device_open"
_REPORT = ("lvs", "--reportformat", "json", "--units", "b", "--nosuffix", "--options", _COLUMNS)
_INVALID = ("lvs", "--noheadings", "--options", "lv_snapshot_invalid")
# How the kernel knows a logical volume. The hidden ones beneath it have a suffix.
_UUID = re.compile(r"LVM-\w{64}")


@dataclass(frozen=True, slots=True)
class LogicalVolume:
    """One line of ``lvs``: ``size`` and ``extent_size`` in bytes, ``free_extents`` of its group."""

    group: str
    name: str
    size: int
    extent_size: int
    free_extents: int
    thin: bool
    is_open: bool

    @property
    def full_name(self) -> str:
        """As LVM's commands take it."""
        return f"{self.group}/{self.name}"


def is_logical_volume(number: str, *, devices: Path = Path("/sys/dev/block")) -> bool:
    """Whether the block device with that number (``254:0``) is one of LVM's."""
    try:
        uuid = (devices / number / "dm/uuid").read_text().strip()
    except OSError:
        return False
    return _UUID.fullmatch(uuid) is not None


def open_frozen_view(number: str) -> io.RawIOBase:
    """The bytes of the logical volume with that device number as they are now.

    Closing the file removes the snapshot. What a killed backup left is removed
    here, too. Raises :class:`FreezeFailedError`.
    """
    major, minor = number.split(":")
    try:
        with _alone():
            _remove_leftovers()
            selected = _volumes(f"lv_kernel_major={major} && lv_kernel_minor={minor}")
            if not selected:
                raise FreezeFailedError(f"LVM does not know the volume with number {number}.")
            (origin,) = selected
            return _opened(origin, _make_snapshot(origin))
    except HostError as exc:
        raise FreezeFailedError(
            f"No frozen view of the logical volume could be made: {exc.message}", hint=exc.hint
        ) from exc
    except OSError as exc:
        raise FreezeFailedError(
            f"No frozen view of the logical volume could be made: {exc.filename}: {exc.strerror}"
        ) from exc


def parse_lvs(output: bytes) -> list[LogicalVolume]:
    """What ``lvs`` reported. Raises :class:`CommandFailedError`."""
    try:
        reports = msgspec.json.decode(output, type=_Output).report
        return [_volume(row) for report in reports for row in report.lv]
    except (msgspec.DecodeError, ValueError) as exc:
        raise CommandFailedError(f"lvs answered what is not understood: {exc}") from exc


def snapshot_extents(origin: LogicalVolume) -> int:
    """How many extents of its group a snapshot takes; 0 where there are none.

    As many as could ever be needed (each of its blocks changed, and 1 % to
    keep account of them), but no more than half of what is free: other volumes
    may have to grow meanwhile, or be backed up themselves.
    """
    most = origin.size + origin.size // 100
    return min(most // origin.extent_size + 2, origin.free_extents - origin.free_extents // 2)


class _FrozenVolume(io.RawIOBase):
    """A snapshot, opened; closing removes it."""

    def __init__(self, origin: str, snapshot: str, file: io.FileIO) -> None:
        self._origin = origin
        self._snapshot = snapshot
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: object, /) -> int | None:
        try:
            return self._file.readinto(buffer)  # type: ignore[arg-type] # typeshed's Buffer is 3.12's
        except OSError as exc:
            # Otherwise it would pass for bad sectors, and the rest of the volume become zeros.
            if exc.errno == errno.EIO and self._is_lost():
                raise FreezeFailedError(
                    f"The frozen view of {self._origin} ran full: too much was written to the"
                    " volume while it was backed up.",
                    hint="Leave more room free in its volume group, or back up at a quieter time.",
                ) from exc
            raise

    def close(self) -> None:
        if self.closed:
            return
        super().close()
        self._file.close()
        _remove(self._snapshot)

    def _is_lost(self) -> bool:
        output = run((*_INVALID, self._snapshot), timeout_seconds=_LVM_SECONDS).output
        return bool(output.strip())


def _opened(origin: LogicalVolume, snapshot: str) -> _FrozenVolume:
    try:
        return _FrozenVolume(origin.full_name, snapshot, io.FileIO(f"/dev/{snapshot}", "r"))
    except BaseException:
        _remove(snapshot)
        raise


def _make_snapshot(origin: LogicalVolume) -> str:
    """Make it, read-only; its full name."""
    name = f"everboot_{secrets.token_hex(4)}"
    command = ["lvcreate", "--quiet", "--yes", "--snapshot", "--permission", "r"]
    command += ["--addtag", TAG, "--name", name, "--setactivationskip", "n"]
    if not origin.thin:
        extents = snapshot_extents(origin)
        if not extents:
            raise FreezeFailedError(
                f"There is no free room in the volume group {origin.group} for a frozen view of"
                f" {origin.full_name}.",
                hint="Add a disk to the group (vgextend), or unmount the volume.",
            )
        command += ["--extents", str(extents)]
    run([*command, origin.full_name], timeout_seconds=_LVM_SECONDS)
    return f"{origin.group}/{name}"


def _remove_leftovers() -> None:
    """Those of backups that were killed: of one that still runs, the snapshot is open."""
    for volume in _volumes(f"lv_tags={TAG}"):
        if not volume.is_open:
            _remove(volume.full_name)


def _remove(full_name: str) -> None:
    run(("lvremove", "--quiet", "--yes", full_name), timeout_seconds=_LVM_SECONDS)


def _volumes(selection: str) -> list[LogicalVolume]:
    output = run((*_REPORT, "--select", selection), timeout_seconds=_LVM_SECONDS).output
    return parse_lvs(output)


@contextmanager
def _alone() -> Iterator[None]:
    """Between its making and its opening, a snapshot looks like one left behind."""
    with open("/run/everboot-frozen-views.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class _Row(msgspec.Struct):
    vg_name: str
    lv_name: str
    lv_size: str
    lv_layout: str
    vg_extent_size: str
    vg_free_count: str
    lv_device_open: str


class _Report(msgspec.Struct):
    lv: list[_Row]


class _Output(msgspec.Struct):
    report: list[_Report]


def _volume(row: _Row) -> LogicalVolume:
    return LogicalVolume(
        group=row.vg_name,
        name=row.lv_name,
        size=int(row.lv_size),
        extent_size=int(row.vg_extent_size),
        free_extents=int(row.vg_free_count),
        thin="thin" in row.lv_layout.split(","),
        is_open=bool(row.lv_device_open),
    )
