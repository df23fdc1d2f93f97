"""The files of ext2, ext3 and ext4 volumes, of many kinds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backup_agent.model.disk import FileSystemKind
from backup_agent.model.node import NodeKind
from tests.helpers.disk_images import MIB, run_tool
from tests.helpers.foreign_volumes import (
    harvest,
    make_empty,
    open_files,
    read_whole,
    survey,
)
from tests.integration.files_in_volumes.contents import (
    as_root,
    found,
    without_folder_times,
)

EXT = {
    "ext2": ("mkfs.ext2", "-b", "1024"),
    "ext3": ("mkfs.ext3",),
    "ext4": ("mkfs.ext4",),
    "ext4 with little ones inline": ("mkfs.ext4", "-O", "inline_data", "-I", "512"),
    "ext4 of old": ("mkfs.ext4", "-O", "^extents,^64bit,^metadata_csum,^dir_index"),
    "ext4 in clusters": ("mkfs.ext4", "-O", "bigalloc", "-b", "1024", "-C", "4096"),
    "ext4 with two copies": (
        "mkfs.ext4",
        "-O",
        "sparse_super2,meta_bg,^resize_inode",
        "-b",
        "1024",
    ),
    "ext4 full of copies": ("mkfs.ext4", "-O", "^sparse_super,meta_bg,^resize_inode", "-b", "1024"),
    "ext4 in meta groups": ("mkfs.ext4", "-O", "meta_bg,^resize_inode", "-b", "1024"),
}


@pytest.mark.parametrize("flavour", EXT)
def test_every_file_of_an_ext_volume_is_as_it_was_put_in(
    tmp_path: Path, linux_folder: Path, flavour: str
) -> None:
    command = (*EXT[flavour], "-q", "-N", "8192", "-d", str(linux_folder))
    volume = make_empty(tmp_path / "volume", 96 * MIB, *command)
    in_volume = harvest(open_files(volume, FileSystemKind.EXT4))
    lost = in_volume.pop(b"/lost+found")
    assert lost.kind is NodeKind.FOLDER
    truth = survey(linux_folder)
    # Folders' times are those of when mkfs filled them.
    assert without_folder_times(in_volume) == without_folder_times(truth)


def test_ext_file_that_ends_in_a_hole_is_read_to_its_end(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with open(folder / "hole", "wb") as file:
        file.write(b"begin")
        file.truncate(3 * MIB)
    volume = make_empty(tmp_path / "volume", 8 * MIB, "mkfs.ext4", "-q", "-d", str(folder))
    tree = open_files(volume, FileSystemKind.EXT4)
    hole = found(tree, b"hole").reference
    assert read_whole(tree, hole, 3 * MIB) == b"begin".ljust(3 * MIB, b"\0")
    assert tree.read_at(hole, 2 * MIB, 1000) == bytes(1000)


@pytest.mark.root
@as_root
def test_ext_owners_modes_and_attributes_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    file = folder / "file"
    file.write_bytes(b"content")
    os.chown(file, 70_000, 80_000)
    file.chmod(0o4751)
    os.setxattr(file, "user.small", b"value")
    os.setxattr(file, "user.large", b"v" * 900)
    run_tool("setfacl", "-m", "u:1000:rw", str(file))
    os.mknod(folder / "device", 0o60640, os.makedev(259, 70_000))
    volume = make_empty(tmp_path / "volume", 16 * MIB, "mkfs.ext4", "-q", "-d", str(folder))
    # Beyond 2038 and finer than a second: two bits more of seconds, thirty of nanoseconds.
    run_tool("debugfs", "-w", "-R", "set_inode_field file mtime 0x80000000", volume)
    run_tool("debugfs", "-w", "-R", f"set_inode_field file mtime_extra {987 << 2 | 1}", volume)
    tree = open_files(volume, FileSystemKind.EXT4)
    node = found(tree, b"file").node
    assert node.mtime_ns == ((1 << 32) - (1 << 31)) * 10**9 + 987
    status = file.stat()
    assert (node.uid, node.gid, node.permissions) == (70_000, 80_000, status.st_mode & 0o7777)
    assert {x.name: x.value for x in node.xattrs} == {
        name: os.getxattr(file, name) for name in os.listxattr(file)
    }
    assert len(node.xattrs) == 3
    device = found(tree, b"device").node
    assert (device.kind, device.device) == (NodeKind.BLOCK_DEVICE, os.makedev(259, 70_000))
