"""Volumes with bytes changed end as files or as our own errors: never in a crash or a circle."""

from __future__ import annotations

import functools
import os
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backup_agent.errors import UnreadableError
from backup_agent.filesystems.files.file_tree import Reference
from backup_agent.filesystems.files.reader_messages import OpenVolume
from backup_agent.model.disk import FileSystemKind
from backup_agent.model.node import NodeKind
from backup_agent.services.volume_tree import VolumeTree
from tests.helpers.disk_images import MIB, run_tool
from tests.helpers.foreign_volumes import make_empty, mounted_exfat, mounted_ntfs

FEW = settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
every_kind = pytest.mark.parametrize(
    "kind",
    [
        FileSystemKind.NTFS,
        FileSystemKind.FAT12,
        FileSystemKind.EXT4,
        FileSystemKind.EXT2,
        pytest.param(
            FileSystemKind.EXFAT,
            marks=[
                pytest.mark.root,
                pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount exFAT"),
            ],
        ),
    ],
)
CONTENTS = [b"x" * 100, b"y" * 5000, bytes(range(256)) * 300]
_MOST_READ = 1 << 20


class Mutated:
    """A volume in memory that counts what is asked of it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read_at(self, offset: int, size: int) -> bytes:
        return self._data[offset : offset + size]


@functools.cache
def pristine(kind: FileSystemKind) -> bytes:
    """A small volume with a folder, a folder in it, and three files in each."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "folder"
        (folder / "within").mkdir(parents=True)
        fill(folder)
        volume = Path(scratch) / "volume"
        match kind:
            case FileSystemKind.EXT4 | FileSystemKind.EXT2:
                command = (f"mkfs.{kind}", "-q", "-d", str(folder))
                return make_empty(volume, 2 * MIB, *command).read_bytes()
            case FileSystemKind.NTFS:
                make_empty(volume, 4 * MIB, "mkntfs", "-Q", "-F")
                with mounted_ntfs(volume, Path(scratch) / "mounted") as mounted:
                    (mounted / "within").mkdir()
                    fill(mounted)
                return volume.read_bytes()
            case FileSystemKind.EXFAT:
                make_empty(volume, 8 * MIB, "mkfs.exfat")
                with mounted_exfat(volume, Path(scratch) / "mounted") as mounted:
                    (mounted / "within").mkdir()
                    fill(mounted)
                return volume.read_bytes()
            case _:
                make_empty(volume, 2 * MIB, "mkfs.fat")
                for name in ("0", "1", "2", "within"):
                    run_tool("mcopy", "-s", "-i", volume, folder / name, "::")
                return volume.read_bytes()


def fill(folder: Path) -> None:
    for number, content in enumerate(CONTENTS):
        (folder / str(number)).write_bytes(content)
        (folder / "within" / f"{number} with a name longer than eight").write_bytes(content)


def blocks_in_use(data: bytes) -> list[int]:
    """The sectors that are not all zeros: changing the others changes nothing."""
    return [start for start in range(0, len(data), 512) if any(data[start : start + 512])]


@every_kind
@FEW
@given(data=st.data())
def test_mutated_volume_ends_as_files_or_as_our_error(
    kind: FileSystemKind, data: st.DataObject
) -> None:
    volume = bytearray(pristine(kind))
    used = blocks_in_use(bytes(volume))
    byte = st.one_of(st.sampled_from([0, 1, 2, 5, 0x7F, 0x80, 0xFF]), st.integers(0, 255))
    for _ in range(data.draw(st.integers(1, 12))):
        place = data.draw(st.sampled_from(used)) + data.draw(st.integers(0, 511))
        volume[place] = data.draw(byte)
    survives(bytes(volume), kind)


@every_kind
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9])
def test_volume_cut_short_ends_as_files_or_as_our_error(kind: FileSystemKind, share: float) -> None:
    whole = pristine(kind)
    survives(whole[: int(len(whole) * share)], kind)


def survives(volume: bytes, kind: FileSystemKind) -> None:
    """Whatever is listed can be read, or is refused by ``UnreadableError``; nothing has no end."""
    opening = OpenVolume(kind, len(volume), (), (), (0, 0))
    with VolumeTree(Mutated(volume), opening) as tree:
        try:
            waiting = [tree.root]
        except UnreadableError:
            return
        entered: set[Reference] = set()
        while waiting and len(entered) < 50:
            folder = waiting.pop()
            if folder in entered:
                continue
            entered.add(folder)
            try:
                items = tree.list_folder(folder)
            except UnreadableError:
                continue
            for item in items[:3]:
                with suppress(UnreadableError):
                    tree.look_up(folder, item.node.name)
            for item in items[:100]:
                if item.node.kind is NodeKind.FOLDER:
                    waiting.append(item.reference)
                elif item.node.kind is NodeKind.FILE:
                    wanted = min(item.node.size, _MOST_READ)
                    try:
                        assert len(tree.read_at(item.reference, 0, wanted)) == wanted
                    except UnreadableError:
                        continue
