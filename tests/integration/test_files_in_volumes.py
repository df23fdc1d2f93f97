"""Every file of a volume is read as the system's own driver reads it."""

from __future__ import annotations

import hashlib
import os
import random
import re
import struct
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pyfsntfs
import pytest
from cryptography.hazmat.bindings import _rust

from backup_agent.errors import UnreadableError
from backup_agent.filesystems.files.file_tree import FileTree, Reference, TreeItem
from backup_agent.filesystems.files.ntfs_index import FolderIndexes
from backup_agent.filesystems.files.volume_bytes import VolumeBytes
from backup_agent.model.disk import Extent, FileSystemKind
from backup_agent.model.node import NodeKind
from tests.helpers.disk_images import MIB, run_tool
from tests.helpers.foreign_volumes import (
    LZX,
    XPRESS_4K,
    XPRESS_8K,
    XPRESS_16K,
    Known,
    harvest,
    make_empty,
    mounted_exfat,
    mounted_ntfs,
    open_files,
    read_whole,
    set_attributes,
    set_reparse_point,
    survey,
    write_wof,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

CODE = Path(_rust.__file__).read_bytes()[2 << 20 :][:900_000]
NOISE = random.Random(1).randbytes(3 * MIB + 77)
# Names that every file system here can hold.
NAMES = [
    "a" * 255,
    "e\u0301tude",
    unicodedata.normalize("NFC", "e\u0301tude"),
    "\u4e00" * 80,
    "\U0001f600" * 60,
    "CON",
    "nul.txt",
    "-rf",
    "100% sure; $(reboot)",
]
NTFS_NAMES = [
    *NAMES,
    "\u4e00" * 255,
    "\U0001f600" * 127,
    "dots...",
    "space ",
    "Case",
    "case",
    "CASE",
    "back\\slash",
    'q?*<>|"',
    "\x01\x1f",
]
LONE_SURROGATE = b"lone \xed\xa0\x80 surrogate"


def fill(folder: Path, names: list[str]) -> None:
    """Files of many sizes, and folders within folders."""
    for number, name in enumerate(names):
        (folder / name).write_bytes(NOISE[: 37 * number * number])
    deep = folder
    for number in range(20):
        deep = deep / f"folder {number} with a name of some length"
        deep.mkdir()
    (deep / "noise").write_bytes(NOISE)
    (folder / "many").mkdir()
    for number in range(3000):
        (folder / "many" / f"entry number {number} of many").write_bytes(b"%d" % number)


def fragment(folder: Path) -> None:
    """Fill the volume with small files, delete every other one, and fill the gaps with one file."""
    others: list[Path] = []
    with suppress(OSError):
        while True:
            others.append(folder / f"{len(others)}")
            others[-1].write_bytes(NOISE[:4096])
    for other in others[::2]:
        other.unlink()
    with suppress(OSError), open(folder / "fragmented", "wb", buffering=0) as file:
        file.writelines(NOISE[start : start + 4096] for start in range(0, len(NOISE), 4096))


def found(tree: FileTree, name: bytes) -> TreeItem:
    return next(item for item in tree.list_folder(tree.root) if item.node.name == name)


@pytest.fixture(scope="module")
def ntfs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[bytes, Known]]:
    """A volume with all that NTFS can do, and what is in it."""
    scratch = tmp_path_factory.mktemp("ntfs")
    volume = make_empty(scratch / "volume", 48 * MIB, "mkntfs", "-Q", "-F")
    streams: dict[bytes, Known] = {}
    with mounted_ntfs(volume, scratch / "mounted") as folder:
        fill(folder, NTFS_NAMES)
        Path(os.fsdecode(os.fsencode(folder) + b"/" + LONE_SURROGATE)).write_bytes(b"lone")
        for number in range(3):
            os.link(folder / "Case", folder / "many" / f"link {number}")
        with open(folder / "sparse", "wb") as file:
            file.seek(5 * MIB)
            file.write(b"end")
            file.truncate(6 * MIB)
        (folder / "compressed").mkdir()
        set_attributes(folder / "compressed", 0x810)
        (folder / "compressed" / "text").write_bytes(b"hello compression " * 60_000)
        (folder / "compressed" / "mixed").write_bytes(NOISE[:100_000] + bytes(200_000) + CODE)
        (folder / "has short name").write_bytes(b"one file, two names")
        os.setxattr(folder / "has short name", "system.ntfs_dos_name", b"HASSHO~1")
        for owner in ("many", "Case", "compressed/text"):
            for name, content in ((":zone", b"stream of " + owner.encode()), (":big", NOISE)):
                Path(f"{folder}/{owner}{name}").write_bytes(content)
                digest = hashlib.sha256(content).hexdigest()
                key = f"/{owner}{name}".encode()
                streams[key] = Known(NodeKind.FILE, len(content), digest, 0)
        (folder / "read only").write_bytes(b"")
        set_attributes(folder / "read only", 0x1)
        truth = survey(folder)
    # A stream belongs to the file and is met with each of its names.
    for number in range(3):
        for stream in (b":zone", b":big"):
            streams[b"/many/link %d%s" % (number, stream)] = streams[b"/Case" + stream]
    return volume, truth | streams


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


def test_stale_reference_gives_no_other_file(ntfs: tuple[Path, dict[bytes, Known]]) -> None:
    tree = open_files(ntfs[0], FileSystemKind.NTFS)
    reference = found(tree, b"Case").reference
    with pytest.raises(UnreadableError, match="another file"):
        tree.read_at(type(tree.root)(reference + (1 << 48)), 0, 1)


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


def test_what_only_windows_can_read_fails_loudly(tmp_path: Path) -> None:
    volume = make_empty(tmp_path / "volume", 16 * MIB, "mkntfs", "-Q", "-F")
    with mounted_ntfs(volume, tmp_path / "mounted") as folder:
        for name in ("efs", "dedup", "cloud only", "cloud and here", "odd wof", "empty wof"):
            (folder / name).write_bytes(NOISE[:5000])
        set_reparse_point(folder / "dedup", 0x80000013, b"x" * 20)
        set_reparse_point(folder / "odd wof", 0x80000017, struct.pack("<IIII", 1, 2, 1, 9))
        set_reparse_point(folder / "empty wof", 0x80000017, struct.pack("<IIII", 1, 2, 1, 1))
        for name in ("cloud only", "cloud and here"):
            set_reparse_point(folder / name, 0x9000601A, b"x" * 20)
    # ntfs-3g does not let anybody say that a file is encrypted or offline: its records are edited.
    data = bytearray(volume.read_bytes())
    for name, flag in (("efs", 0x4000), ("cloud only", 0x1000)):
        set_record_flag(data, name, flag)
    tree = open_files(bytes(data), FileSystemKind.NTFS)
    problems = {
        b"efs": "encrypted",
        b"dedup": "only Windows knows",
        b"cloud only": "in the cloud",
        b"odd wof": "not known here",
        b"empty wof": "not there",
    }
    for file, words in problems.items():
        item = found(tree, file)
        assert words in item.problem
        with pytest.raises(UnreadableError, match=words):
            tree.read_at(item.reference, 0, 100)
    here = found(tree, b"cloud and here")
    assert tree.read_at(here.reference, 0, 9000) == NOISE[:5000]


def set_record_flag(volume: bytearray, name: str, flag: int) -> None:
    """Set an attribute in the $STANDARD_INFORMATION of the file with that name."""
    at = volume.index(name.encode("utf-16-le"))
    while (record := volume.rfind(b"FILE", 0, at)) % 1024 or at - record > 1024:
        at = volume.index(name.encode("utf-16-le"), at + 1)
    (attribute,) = struct.unpack_from("<H", volume, record + 20)
    place = record + attribute + 24 + 32
    (flags,) = struct.unpack_from("<I", volume, place)
    struct.pack_into("<I", volume, place, flags | flag)


@pytest.mark.parametrize("damage", [b"BAAD", bytes(1024), NOISE[:1024], None])
def test_ntfs_name_whose_record_is_damaged_is_listed_with_the_problem(
    tmp_path: Path, damage: bytes | None
) -> None:
    volume = make_empty(tmp_path / "volume", 8 * MIB, "mkntfs", "-Q", "-F")
    with mounted_ntfs(volume, tmp_path / "mounted") as folder:
        for name in ("whole", "hit file", "other"):
            (folder / name).write_bytes(NOISE[:5000])
        (folder / "hit folder").mkdir()
        records = [(folder / name).stat().st_ino for name in ("hit file", "hit folder")]
    data = bytearray(volume.read_bytes())
    (cluster,) = struct.unpack_from("<Q", data, 48)
    table = cluster * data[13] * 512
    for record in records:
        place = table + record * 1024
        assert data[place : place + 4] == b"FILE"
        if damage is None:
            data[place + 510 : place + 512] = b"zz"
        else:
            data[place : place + len(damage)] = damage
    tree = open_files(bytes(data), FileSystemKind.NTFS)
    items = {item.node.name: item for item in tree.list_folder(tree.root)}
    assert items.keys() == {b"whole", b"hit file", b"other", b"hit folder"}
    for called, item in items.items():
        assert ("damaged" in item.problem) == called.startswith(b"hit")
        looked_up = tree.look_up(tree.root, called)
        assert looked_up is not None
        assert bool(looked_up.problem) == bool(item.problem)
    with pytest.raises(UnreadableError):
        tree.read_at(items[b"hit file"].reference, 0, 100)


def test_ntfs_folder_with_one_damaged_block_of_names_shows_the_others(
    ntfs: tuple[Path, dict[bytes, Known]],
) -> None:
    data = bytearray(ntfs[0].read_bytes())
    name = "entry number 1703 of many".encode("utf-16-le")
    (block, *_) = (
        place
        for place in range(0, len(data), 4096)
        if data[place : place + 4] == b"INDX" and name in data[place : place + 4096]
    )
    data[block : block + 4096] = bytes(4096)
    pristine, tree = (open_files(v, FileSystemKind.NTFS) for v in (ntfs[0], bytes(data)))
    before, after = (
        {item.node.name: item for item in t.list_folder(found(t, b"many").reference)}
        for t in (pristine, tree)
    )
    added = after.keys() - before.keys()
    assert [after[name].problem for name in added] != []
    assert all("names are missing" in after[name].problem for name in added)
    assert 0 < len(before.keys() - after.keys()) < 60
    for name in before.keys() & after.keys():
        assert after[name] == before[name]


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


@pytest.fixture(scope="module")
def linux_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ext can hold, with times that ext2's seconds can."""
    folder = tmp_path_factory.mktemp("ext")
    fill(folder, [*NAMES[1:3], "x" * 255, "new\nline", "tab\t"])
    (folder / os.fsdecode(b"\xff\xfe no text")).write_bytes(b"bytes")
    os.link(folder / "tab\t", folder / "many" / "hard link")
    (folder / "short link").symlink_to("/etc/passwd")
    (folder / "long link").symlink_to("/x" * 500)
    os.mkfifo(folder / "fifo")
    for name, start in (("sparse", 5 * MIB), ("very sparse", 70 * MIB)):
        with open(folder / name, "wb") as file:
            file.write(b"begin")
            file.seek(start)
            file.write(NOISE[:70_000])
    return folder


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


def without_folder_times(known: dict[bytes, Known]) -> dict[bytes, object]:
    return {
        path: known.kind if known.kind is NodeKind.FOLDER else known
        for path, known in known.items()
    }


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


@pytest.mark.parametrize(
    ("kind", "size", "options"),
    [("fat12", 3, ["-F12"]), ("fat16", 24, ["-F16"]), ("fat32", 48, ["-F32", "-s1"])],
)
def test_every_file_of_a_fat_volume_is_as_mtools_put_it(
    tmp_path: Path, kind: str, size: int, options: list[str]
) -> None:
    volume = make_empty(tmp_path / "volume", size * MIB, "mkfs.fat", *options)
    folder = tmp_path / "folder"
    folder.mkdir()
    fill_for_fat(folder)
    for name in sorted(os.listdir(folder)):
        run_tool("mcopy", "-s", "-m", "-Q", "-i", volume, folder / name, "::")
    truth = survey(folder)
    in_volume = harvest(open_files(volume, FileSystemKind(kind)))
    assert in_volume.keys() == truth.keys()
    for path, known in truth.items():
        there = in_volume[path]
        assert (there.kind, there.size, there.content) == (known.kind, known.size, known.content)
        if known.kind is NodeKind.FILE:
            # Two seconds are as fine as FAT's times get.
            assert abs(there.mtime_seconds - known.mtime_seconds) < 2


def fill_for_fat(folder: Path) -> None:
    """Names in mtools' reach; deleted and rewritten, so that chains have gaps."""
    (folder / "LONG NAME with Case.txt").write_bytes(NOISE[:70_000])
    (folder / "SHORT.TXT").write_bytes(b"short")
    (folder / "lower.txt").write_bytes(b"lower")
    (folder / "MIXED.txt").write_bytes(b"mixed")
    (folder / "empty").write_bytes(b"")
    (folder / ("n" * 200)).write_bytes(b"a name of 17 entries")
    (folder / "Folder").mkdir()
    (folder / "Folder" / "within").mkdir()
    (folder / "Folder" / "within" / "noise").write_bytes(NOISE[: MIB + 5])
    for number in range(150):
        (folder / "Folder" / f"file number {number}").write_bytes(b"%d" % number)


@pytest.mark.root
@as_root
def test_every_file_of_an_exfat_volume_is_as_its_driver_has_it(tmp_path: Path) -> None:
    volume = make_empty(tmp_path / "volume", 48 * MIB, "mkfs.exfat", "-c", "4096")
    with mounted_exfat(volume, tmp_path / "mounted") as folder:
        fill(folder, [*NAMES, "Mixed Case"])
        fragment(folder)
    with mounted_exfat(volume, tmp_path / "mounted") as folder:
        truth = survey(folder)
    in_volume = harvest(open_files(volume, FileSystemKind.EXFAT))
    assert in_volume.keys() == truth.keys()
    for path, known in truth.items():
        there = in_volume[path]
        assert (there.kind, there.size, there.content) == (known.kind, known.size, known.content)
        assert abs(there.mtime_seconds - known.mtime_seconds) < 2


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


def folders_of(tree: FileTree) -> Iterator[tuple[Reference, Sequence[TreeItem]]]:
    waiting = [tree.root]
    while waiting:
        folder = waiting.pop()
        items = tree.list_folder(folder)
        yield folder, items
        waiting += [item.reference for item in items if item.node.kind is NodeKind.FOLDER]


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


def test_short_name_of_a_file_is_no_name_of_it(ntfs: tuple[Path, dict[bytes, Known]]) -> None:
    tree = open_files(ntfs[0], FileSystemKind.NTFS)
    assert tree.look_up(tree.root, b"has short name") is not None
    assert tree.look_up(tree.root, b"HASSHO~1") is None


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
