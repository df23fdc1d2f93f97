"""What holds for the reader of every file system."""

from __future__ import annotations

from pathlib import Path

import pytest

from backup_agent.errors import UnreadableError
from backup_agent.model.disk import Extent, FileSystemKind
from backup_agent.model.node import NodeKind
from tests.helpers.disk_images import MIB, run_tool
from tests.helpers.foreign_volumes import (
    Known,
    make_empty,
    mounted_ntfs,
    open_files,
)
from tests.integration.files_in_volumes.contents import (
    NOISE,
    folders_of,
    found,
)


def test_every_item_can_be_asked_for_by_its_reference_alone(
    ntfs: tuple[Path, dict[bytes, Known]], tmp_path: Path, linux_folder: Path
) -> None:
    command = ("mkfs.ext4", "-q", "-d", str(linux_folder))
    ext = make_empty(tmp_path / "ext", 96 * MIB, *command)
    fat = make_empty(tmp_path / "fat", 3 * MIB, "mkfs.fat")
    run_tool("mcopy", "-i", fat, linux_folder / "short link", "::One File")
    for volume, kind in (
        (ntfs[0], FileSystemKind.NTFS),
        (ext, FileSystemKind.EXT4),
        (fat, FileSystemKind.FAT12),
    ):
        listed = open_files(volume, kind)
        fresh = open_files(volume, kind)
        for item in listed.list_folder(listed.root):
            again = fresh.item(item.reference)
            assert (again.node.kind, again.node.size) == (item.node.kind, item.node.size)
        assert fresh.item(fresh.root).node.kind is NodeKind.FOLDER


def test_looking_a_name_up_gives_what_the_listing_has(
    ntfs: tuple[Path, dict[bytes, Known]], tmp_path: Path, linux_folder: Path
) -> None:
    command = ("mkfs.ext4", "-q", "-d", str(linux_folder))
    ext = make_empty(tmp_path / "ext", 96 * MIB, *command)
    fat = make_empty(tmp_path / "fat", 3 * MIB, "mkfs.fat")
    run_tool("mcopy", "-i", fat, linux_folder / "short link", "::One File")
    for volume, kind in (
        (ntfs[0], FileSystemKind.NTFS),
        (ext, FileSystemKind.EXT4),
        (fat, FileSystemKind.FAT12),
    ):
        tree = open_files(volume, kind)
        for folder, items in folders_of(tree):
            assert tree.look_up(folder, b"absent") is None
            for item in (*items[:20], *items[::97]):
                assert tree.look_up(folder, item.node.name) == item


def test_file_on_bytes_that_were_unreadable_fails_and_its_neighbours_do_not(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "hit").write_bytes(NOISE[:100_000])
    (folder / "whole").write_bytes(NOISE[100_000:200_000])
    volume = make_empty(tmp_path / "volume", 8 * MIB, "mkfs.ext4", "-q", "-d", str(folder))
    data = volume.read_bytes()
    bad = Extent(data.index(NOISE[40_000:50_000]) + 5000, 10)
    tree = open_files(data, FileSystemKind.EXT4, unreadable=(bad,))
    whole, hit = found(tree, b"whole"), found(tree, b"hit")
    assert tree.read_at(whole.reference, 0, 100_000) == NOISE[100_000:200_000]
    assert tree.read_at(hit.reference, 0, 40_000) == NOISE[:40_000]
    with pytest.raises(UnreadableError, match="could not be read"):
        tree.read_at(hit.reference, 0, 100_000)


def test_file_that_was_left_out_is_listed_and_not_read(tmp_path: Path) -> None:
    volume = make_empty(tmp_path / "volume", 8 * MIB, "mkntfs", "-Q", "-F")
    with mounted_ntfs(volume, tmp_path / "mounted") as folder:
        (folder / "PageFile.sys").write_bytes(bytes(100_000))
        (folder / "System Volume Information").mkdir()
        (folder / "System Volume Information" / "{store}").write_bytes(bytes(100))
        (folder / "other").write_bytes(b"other")
    left_out = ("pagefile.sys", "System Volume Information\\{store}", "\\absent.sys")
    tree = open_files(volume, FileSystemKind.NTFS, left_out=left_out)
    (store,) = tree.list_folder(found(tree, b"System Volume Information").reference)
    for item in (found(tree, b"PageFile.sys"), store):
        assert "left out" in item.problem
        with pytest.raises(UnreadableError, match="left out"):
            tree.read_at(item.reference, 0, 10)
    assert tree.read_at(found(tree, b"other").reference, 0, 10) == b"other"
