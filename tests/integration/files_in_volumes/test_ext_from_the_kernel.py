"""Large folders of ext volumes that the kernel filled: it lays their hash trees otherwise than
mkfs and e2fsck do, a block at a time, over blocks of names that it turns into others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backup_agent.model.disk import FileSystemKind
from tests.helpers.disk_images import MIB, run_tool
from tests.helpers.foreign_volumes import make_empty, open_files
from tests.integration.files_in_volumes.contents import found

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(
        os.geteuid() != 0 or not os.path.exists("/dev/loop-control"),
        reason="needs root and loop devices",
    ),
]

FLAVOURS = {
    "by default": ("-b", "4096"),
    "two levels": ("-b", "1024"),
    "without checksums": ("-b", "1024", "-O", "^metadata_csum"),
    "larger and with attributes beside": ("-b", "1024", "-O", "ea_inode,large_dir"),
    "in clusters": ("-b", "4096", "-O", "bigalloc", "-C", "65536"),
    "in meta groups": ("-b", "1024", "-O", "meta_bg,^resize_inode"),
    "with a seed of its own": ("-b", "2048", "-O", "metadata_csum_seed"),
}
TWO_LEVELS = {"two levels", "without checksums", "larger and with attributes beside"}


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_every_name_of_a_folder_that_the_kernel_filled_is_listed(
    tmp_path: Path, flavour: str
) -> None:
    command = ("mke2fs", "-t", "ext4", "-q", "-F", "-N", "4000", *FLAVOURS[flavour])
    volume = make_empty(tmp_path / "volume", 32 * MIB, *command)
    with mounted_by_kernel(volume, tmp_path / "mounted") as top:
        (top / "many").mkdir()
        # Neither in order nor of one length, so that blocks are split everywhere.
        names = [f"{number * 7919 % 10007:0{60 + number % 180}}" for number in range(1500)]
        for name in names:
            (top / "many" / name).touch()
        for name in names[::5]:
            (top / "many" / name).unlink()
        os.setxattr(top / "many", "user.note", b"n" * 700)
        truth = set(os.listdir(os.fsencode(top / "many")))
    tree_of_hashes = run_tool("debugfs", "-R", "htree /many", volume)
    assert "Root node dump" in tree_of_hashes
    assert ("Indirect levels: 1" in tree_of_hashes) >= (flavour in TWO_LEVELS)

    tree = open_files(volume, FileSystemKind.EXT4)
    many = found(tree, b"many")
    assert [(x.name, x.value) for x in many.node.xattrs] == [("user.note", b"n" * 700)]
    listed = tree.list_folder(many.reference)
    assert [item.problem for item in listed if item.problem] == []
    assert sorted(item.node.name for item in listed) == sorted(truth)
    last = max(truth)
    assert (looked := tree.look_up(many.reference, last)) is not None
    assert looked.node.name == last


@contextmanager
def mounted_by_kernel(volume: Path, place: Path) -> Iterator[Path]:
    place.mkdir()
    run_tool("mount", "-o", "loop", volume, place)
    try:
        yield place
    finally:
        run_tool("umount", place)
