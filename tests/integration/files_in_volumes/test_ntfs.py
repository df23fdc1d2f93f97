"""The files of NTFS volumes, as ntfs-3g has them, and as Windows compresses them."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pyfsntfs
import pytest

from backup_agent.filesystems.files.ntfs_index import FolderIndexes
from backup_agent.filesystems.files.volume_bytes import VolumeBytes
from backup_agent.model.disk import FileSystemKind
from backup_agent.model.node import NodeKind
from tests.helpers.disk_images import MIB
from tests.helpers.foreign_volumes import (
    LZX,
    XPRESS_4K,
    XPRESS_8K,
    XPRESS_16K,
    Known,
    harvest,
    make_empty,
    mounted_ntfs,
    open_files,
    read_whole,
    set_reparse_point,
    survey,
    write_wof,
)
from tests.integration.files_in_volumes.contents import (
    CODE,
    LONE_SURROGATE,
    NOISE,
    folders_of,
    found,
    fragment,
)


def test_every_file_of_an_ntfs_volume_is_as_ntfs_3g_has_it(
    ntfs: tuple[Path, dict[bytes, Known]],
) -> None:
    volume, truth = ntfs
    assert harvest(open_files(volume, FileSystemKind.NTFS)) == truth
    assert b"/" + LONE_SURROGATE in truth


def test_ntfs_file_in_many_pieces_is_read_whole(tmp_path: Path) -> None:
    volume = make_empty(tmp_path / "volume", 8 * MIB, "mkntfs", "-Q", "-F")
    with mounted_ntfs(volume, tmp_path / "mounted") as folder:
        fragment(folder)
        truth = survey(folder)
    library = pyfsntfs.volume()
    library.open(str(volume))
    try:
        assert library.get_file_entry_by_path("\\fragmented").get_number_of_extents() > 100
    finally:
        library.close()
    assert harvest(open_files(volume, FileSystemKind.NTFS)) == truth


def test_ntfs_names_of_one_file_share_its_reference_and_count(
    ntfs: tuple[Path, dict[bytes, Known]],
) -> None:
    tree = open_files(ntfs[0], FileSystemKind.NTFS)
    case = found(tree, b"Case")
    links = [
        item
        for item in tree.list_folder(found(tree, b"many").reference)
        if item.node.name.startswith(b"link")
    ]
    assert [item.reference for item in links] == 3 * [case.reference]
    assert case.node.links == 4
    assert found(tree, b"read only").node.permissions == 0o444


@pytest.mark.parametrize("algorithm", [XPRESS_4K, LZX, XPRESS_8K, XPRESS_16K])
def test_files_compressed_by_windows_are_read_whole(tmp_path: Path, algorithm: int) -> None:
    contents = {
        "code": CODE,
        "text": b"the quick brown fox " * 40_000,
        "noise": NOISE[:100_000],
        "one byte": b"x",
        "even": CODE[: 2 * 32768],
    }
    volume = make_empty(tmp_path / "volume", 16 * MIB, "mkntfs", "-Q", "-F")
    with mounted_ntfs(volume, tmp_path / "mounted") as folder:
        for name, content in contents.items():
            write_wof(folder / name, content, algorithm)
    tree = open_files(volume, FileSystemKind.NTFS)
    for name, content in contents.items():
        item = found(tree, name.encode())
        assert (item.problem, item.streams, item.node.size) == ("", (), len(content))
        assert read_whole(tree, item.reference, len(content)) == content
        assert (
            tree.read_at(item.reference, len(content) // 2, 3) == content[len(content) // 2 :][:3]
        )


def test_reparse_points_are_shown_and_never_followed(tmp_path: Path) -> None:
    volume = make_empty(tmp_path / "volume", 8 * MIB, "mkntfs", "-Q", "-F")
    target, shown = "\\??\\C:\\Users\\me", "C:\\Users\\me"
    names = target.encode("utf-16-le") + b"\0\0" + shown.encode("utf-16-le") + b"\0\0"
    lengths = struct.pack("<HHHH", 0, 2 * len(target), 2 * len(target) + 2, 2 * len(shown))
    with mounted_ntfs(volume, tmp_path / "mounted") as folder:
        (folder / "junction").mkdir()
        set_reparse_point(folder / "junction", 0xA0000003, lengths + names)
        (folder / "symlink").touch()
        set_reparse_point(folder / "symlink", 0xA000000C, lengths + bytes(4) + names)
        (folder / "linux").touch()
        set_reparse_point(folder / "linux", 0xA000001D, struct.pack("<I", 2) + b"../elsewhere")
        (folder / "app").touch()
        set_reparse_point(folder / "app", 0x8000001B, b"anything")
    tree = open_files(volume, FileSystemKind.NTFS)
    shown_as = {i.node.name: (i.node.kind, i.node.link_target) for i in tree.list_folder(tree.root)}
    assert shown_as == {
        b"junction": (NodeKind.SYMLINK, shown.encode()),
        b"symlink": (NodeKind.SYMLINK, shown.encode()),
        b"linux": (NodeKind.SYMLINK, b"../elsewhere"),
        b"app": (NodeKind.IRREGULAR, b""),
    }


def test_links_as_ntfs_3g_makes_them_are_shown_as_links(tmp_path: Path) -> None:
    """In listings and one by one; a file for the system with other content stays one."""
    volume = make_empty(tmp_path / "volume", 8 * MIB, "mkntfs", "-Q", "-F")
    with mounted_ntfs(volume, tmp_path / "mounted") as folder:
        (folder / "link").symlink_to("folder/tärget")
        (folder / "system file").write_bytes(b"IntxLNX of another kind")
        os.setxattr(folder / "system file", "system.ntfs_attrib", struct.pack("=I", 0x4))
    tree = open_files(volume, FileSystemKind.NTFS)
    link = found(tree, b"link")
    assert (link.node.kind, link.node.link_target, link.node.size) == (
        NodeKind.SYMLINK,
        "folder/tärget".encode(),
        0,
    )
    assert tree.item(link.reference).node.link_target == link.node.link_target
    plain = found(tree, b"system file")
    assert (plain.node.kind, tree.read_at(plain.reference, 0, 7)) == (NodeKind.FILE, b"IntxLNX")


def test_every_name_of_an_ntfs_volume_is_found_by_the_index_alone(
    ntfs: tuple[Path, dict[bytes, Known]],
) -> None:
    tree = open_files(ntfs[0], FileSystemKind.NTFS)
    volume = ntfs[0].read_bytes()
    indexes = FolderIndexes(VolumeBytes(len(volume), lambda start, size: volume[start:][:size]))
    for folder, items in folders_of(tree):
        for item in items:
            name = item.node.name.decode("utf-8", "surrogatepass")
            assert indexes.find(folder & 0xFFFFFFFF, name) == item.reference
            for other in (name + "x", name.swapcase() + "y", name[:-1] + "\u0130"):
                assert indexes.find(folder & 0xFFFFFFFF, other) is None
            facts = indexes.facts(item.reference & 0xFFFFFFFF)
            assert (facts is not None) == (item.node.kind is NodeKind.FOLDER)


def test_short_name_of_a_file_is_no_name_of_it(ntfs: tuple[Path, dict[bytes, Known]]) -> None:
    tree = open_files(ntfs[0], FileSystemKind.NTFS)
    assert tree.look_up(tree.root, b"has short name") is not None
    assert tree.look_up(tree.root, b"HASSHO~1") is None
