"""A damaged ext volume gives what is whole, fails for the rest, and never reads as zeros."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from backup_agent.errors import UnreadableError
from backup_agent.model.disk import FileSystemKind
from tests.helpers.disk_images import MIB, run_tool
from tests.helpers.foreign_volumes import (
    make_empty,
    open_files,
)
from tests.integration.files_in_volumes.contents import (
    NOISE,
    found,
)


@pytest.fixture
def three_files(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number, name in enumerate(("hit", "whole", "other")):
        (folder / name).write_bytes(NOISE[number * 50_000 :][:50_000])
    return make_empty(tmp_path / "volume", 8 * MIB, "mkfs.ext4", "-q", "-d", str(folder))


@pytest.mark.parametrize("features", ["metadata_csum", "^metadata_csum"])
def test_ext_file_that_points_to_free_blocks_fails(three_files: Path, features: str) -> None:
    run_tool("tune2fs", "-O", features, three_files)
    # The word that says where the file's only extent lies: nothing is in use there.
    run_tool("debugfs", "-w", "-R", "set_inode_field /hit block[5] 7000", three_files)
    tree = open_files(three_files, FileSystemKind.EXT4)
    assert tree.read_at(found(tree, b"whole").reference, 0, 50_000) == NOISE[50_000:100_000]
    with pytest.raises(UnreadableError, match="calls free"):
        tree.read_at(found(tree, b"hit").reference, 0, 4096)


def test_ext_blocks_of_a_group_that_was_stored_whole_are_read(three_files: Path) -> None:
    told = run_tool("debugfs", "-R", "blocks /hit", three_files)
    # The bitmap forgets the blocks, the group's count does not.
    run_tool("debugfs", "-w", "-R", f"freeb {told.split()[0]} 3", three_files)
    tree = open_files(three_files, FileSystemKind.EXT4)
    assert tree.read_at(found(tree, b"hit").reference, 0, 50_000) == NOISE[:50_000]


def test_ext_file_whose_inode_has_a_wrong_checksum_fails(three_files: Path) -> None:
    told = run_tool("debugfs", "-R", "imap /hit", three_files)
    block, within = re.findall(r"block (\d+), offset (0x[0-9a-f]+)", told)[0]
    data = bytearray(three_files.read_bytes())
    data[int(block) * 1024 + int(within, 16) + 40 + 20] ^= 1
    tree = open_files(bytes(data), FileSystemKind.EXT4)
    with pytest.raises(UnreadableError, match="checksum"):
        tree.read_at(found(tree, b"hit").reference, 0, 100)
    assert tree.read_at(found(tree, b"whole").reference, 0, 50_000) == NOISE[50_000:100_000]


def test_ext_file_whose_tree_of_extents_has_a_wrong_checksum_fails(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with open(folder / "in pieces", "wb") as file:
        for number in range(40):
            file.seek(number * 8192)
            file.write(NOISE[:1024])
    volume = make_empty(tmp_path / "volume", 8 * MIB, "mkfs.ext4", "-q", "-d", str(folder))
    data = bytearray(volume.read_bytes())
    (node,) = (
        place
        for place in range(0, len(data), 1024)
        if data[place : place + 2] == b"\x0a\xf3" and data[place + 2] >= 40
    )
    whole = open_files(bytes(data), FileSystemKind.EXT4)
    assert whole.read_at(found(whole, b"in pieces").reference, 8192, 1024) == NOISE[:1024]
    data[node + 12 + 12 + 8] ^= 1
    tree = open_files(bytes(data), FileSystemKind.EXT4)
    with pytest.raises(UnreadableError, match="checksum"):
        tree.read_at(found(tree, b"in pieces").reference, 8192, 1024)


def test_ext_folder_with_a_wrong_checksum_fails(three_files: Path) -> None:
    data = bytearray(three_files.read_bytes())
    data[data.index(b"hit", 20_000)] ^= 1
    tree = open_files(bytes(data), FileSystemKind.EXT4)
    with pytest.raises(UnreadableError, match="checksum"):
        tree.list_folder(tree.root)


@pytest.fixture
def indexed_folder(tmp_path: Path) -> tuple[bytearray, int, set[bytes]]:
    """A volume with a folder that has a hash tree: where its root stands, and all names."""
    folder = tmp_path / "many"
    folder.mkdir()
    names = {b"a name of some length, number %04d" % number for number in range(600)}
    for name in names:
        (folder / os.fsdecode(name)).touch()
    command = ("mkfs.ext4", "-q", "-b", "1024", "-N", "2000", "-d", str(folder))
    volume = make_empty(tmp_path / "volume", 16 * MIB, *command)
    run_tool("e2fsck", "-fyD", volume)
    assert "Root node dump" in run_tool("debugfs", "-R", "htree /", volume)
    root = int(run_tool("debugfs", "-R", "blocks /", volume).split()[0]) * 1024
    return bytearray(volume.read_bytes()), root, names


@pytest.mark.parametrize("hit", [range(4, 24), range(32, 500)], ids=["its own names", "its hashes"])
def test_damage_to_a_hash_tree_hides_no_names(
    indexed_folder: tuple[bytearray, int, set[bytes]], hit: range
) -> None:
    data, root, names = indexed_folder
    data[root + hit.start : root + hit.stop] = NOISE[: len(hit)]
    tree = open_files(bytes(data), FileSystemKind.EXT4)
    assert {item.node.name for item in tree.list_folder(tree.root)} == names | {b"lost+found"}
    some = min(names)
    assert (looked := tree.look_up(tree.root, some)) is not None
    assert looked.node.name == some


def test_ext_volume_whose_superblock_has_a_wrong_checksum_does_not_open(three_files: Path) -> None:
    data = bytearray(three_files.read_bytes())
    data[1024 + 12] ^= 1
    with pytest.raises(UnreadableError, match="superblock is damaged: the checksum"):
        open_files(bytes(data), FileSystemKind.EXT4)


def test_ext_group_with_a_wrong_checksum_gives_no_files(three_files: Path) -> None:
    run_tool("tune2fs", "-O", "^metadata_csum,uninit_bg", three_files)
    tree = open_files(three_files, FileSystemKind.EXT4)
    assert tree.read_at(found(tree, b"hit").reference, 0, 50_000) == NOISE[:50_000]
    data = bytearray(three_files.read_bytes())
    data[2048 + 8] ^= 1  # where its inodes begin
    damaged = open_files(bytes(data), FileSystemKind.EXT4)
    with pytest.raises(UnreadableError, match="checksum"):
        damaged.list_folder(damaged.root)
