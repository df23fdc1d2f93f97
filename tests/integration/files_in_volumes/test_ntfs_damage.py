"""A damaged NTFS volume gives what is whole, and fails loudly for the rest."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from backup_agent.errors import UnreadableError
from backup_agent.model.disk import FileSystemKind
from tests.helpers.disk_images import MIB
from tests.helpers.foreign_volumes import (
    Known,
    make_empty,
    mounted_ntfs,
    open_files,
    set_reparse_point,
)
from tests.integration.files_in_volumes.contents import (
    NOISE,
    found,
)


def test_stale_reference_gives_no_other_file(ntfs: tuple[Path, dict[bytes, Known]]) -> None:
    tree = open_files(ntfs[0], FileSystemKind.NTFS)
    reference = found(tree, b"Case").reference
    with pytest.raises(UnreadableError, match="another file"):
        tree.read_at(type(tree.root)(reference + (1 << 48)), 0, 1)


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


def test_hole_in_a_file_that_may_have_none_is_damage_and_no_zeros(tmp_path: Path) -> None:
    volume = make_empty(tmp_path / "volume", 8 * MIB, "mkntfs", "-Q", "-F")
    with mounted_ntfs(volume, tmp_path / "mounted") as folder:
        (folder / "file").write_bytes(NOISE[:40_000])
        (folder / "sparse").touch()
        os.truncate(folder / "sparse", 100_000)
        with open(folder / "sparse", "r+b") as file:
            file.seek(90_000)
            file.write(b"end")
    tree = open_files(volume, FileSystemKind.NTFS)
    sparse = found(tree, b"sparse")
    assert tree.read_at(sparse.reference, 89_998, 5) == b"\0\0end"
    data = bytearray(volume.read_bytes())
    number = found(tree, b"file").reference & 0xFFFFFFFFFFFF
    place = int.from_bytes(data[48:56], "little") * 4096 + number * 1024
    place += int.from_bytes(data[place + 20 : place + 22], "little")
    while data[place] != 0x80:
        place += int.from_bytes(data[place + 4 : place + 8], "little")
    runs = place + int.from_bytes(data[place + 32 : place + 34], "little")
    assert data[runs] & 0x0F == 1, "one run of less than 256 clusters"
    # The same number of clusters, and no first one.
    data[runs] = 0x01
    data[runs + 2] = 0
    volume.write_bytes(data)
    tree = open_files(volume, FileSystemKind.NTFS)
    with pytest.raises(UnreadableError, match="no place on the volume"):
        tree.read_at(found(tree, b"file").reference, 0, 40_000)
