"""Used clusters, as we count them and as the file systems' own tools do."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from backup_agent.filesystems.recognise import recognise
from backup_agent.filesystems.used.survey import VolumeSurvey, survey_volume
from backup_agent.model.disk import Extent, FileSystemKind, Volume, joined
from backup_agent.model.used_space import UsedSpace
from tests.helpers.disk_images import MIB, run_tool
from tests.helpers.foreign_volumes import mounted_exfat
from tests.helpers.volumes import (
    SHADOW_STORE,
    fill_in_pieces,
    make_file_system,
    mounted_ntfs,
    put_ext,
    put_fat,
    put_ntfs,
    remove_ext,
    remove_fat,
)

EXT_OPTIONS = [
    "-t ext2",
    "-t ext3",
    "-t ext4",
    "-t ext4 -b 4096",
    "-t ext4 -b 1024 -O ^has_journal,^resize_inode",
    "-t ext4 -O bigalloc -C 65536",
    "-t ext4 -O bigalloc -b 1024 -C 16384",
    "-t ext4 -O meta_bg,^resize_inode -b 1024",
    "-t ext4 -O meta_bg,^resize_inode,^flex_bg -b 1024 -g 256",
    "-t ext4 -O ^64bit,^flex_bg",
    "-t ext4 -O uninit_bg,^metadata_csum,^64bit -b 1024",
    "-t ext4 -O ^uninit_bg,^metadata_csum",
    "-t ext4 -O ^sparse_super,^resize_inode,^flex_bg -b 1024",
    "-t ext4 -O sparse_super2 -b 1024",
    "-t ext4 -E packed_meta_blocks=1 -G 64 -b 1024",
    "-t ext4 -E lazy_itable_init=1 -m 20",
]
FAT_OPTIONS = ["-F 12", "-F 16", "-F 32 -s 1", "-F 32 -s 8 -f 1", "-F 16 -s 1 -R 9 -S 4096"]


def survey(volume: Path, *, include_all: bool = False) -> tuple[FileSystemKind, VolumeSurvey]:
    size = volume.stat().st_size
    with open(volume, "rb", buffering=0) as file:
        found = Volume(0, 0, size, recognise(file, 0))
        return found.file_system.kind, survey_volume(file, found, include_all=include_all)


def space_of(volume: Path, *, include_all: bool = False) -> UsedSpace:
    kind, found = survey(volume, include_all=include_all)
    assert found.remarks == (), (kind, found.remarks)
    assert found.space is not None
    return found.space


def scatter(
    volume: Path, put: Callable[[Path, Path, str], None], remove: Callable[[Path, str], None] | None
) -> None:
    """Files of many sizes; some are deleted, so that the free space lies in pieces."""
    rng = random.Random(7)
    source = volume.with_name("scattered")
    for number in range(16):
        source.write_bytes(rng.randbytes(rng.randrange(1, 60_000)))
        put(volume, source, f"file{number}")
    if remove:
        for number in range(0, 16, 3):
            remove(volume, f"file{number}")
    source.write_bytes(rng.randbytes(300_000))
    put(volume, source, "last")


@pytest.mark.parametrize("options", EXT_OPTIONS)
def test_ext_blocks_are_those_that_dumpe2fs_counts(tmp_path: Path, options: str) -> None:
    # Two block groups of 4 KiB blocks, and a piece of a third.
    size = 290 * MIB if "4096" in options else 90 * MIB
    volume = make_file_system(tmp_path / "v", size, "mke2fs", "-q", "-F", *options.split())
    scatter(volume, put_ext, remove_ext)
    run_tool("e2fsck", "-fn", volume)
    told = dict(re.findall(r"^([\w ]+): +(\d+)$", run_tool("dumpe2fs", "-h", volume), re.MULTILINE))
    space = space_of(volume)
    block_size = int(told["Block size"])
    free = space.clusters - space.used_clusters
    assert free * space.cluster_size == int(told["Free blocks"]) * block_size
    assert space.used_bytes == size - free * space.cluster_size


@pytest.mark.parametrize("options", ["-O metadata_csum", "-O ^metadata_csum"])
def test_ext_group_whose_bitmap_lies_is_stored_whole(tmp_path: Path, options: str) -> None:
    volume = make_file_system(
        tmp_path / "v", 40 * MIB, "mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", *options.split()
    )
    scatter(volume, put_ext, remove_ext)
    honest = space_of(volume)
    listed = run_tool("dumpe2fs", volume)
    bitmaps = [int(place) for place in re.findall(r"Block bitmap at (\d+)", listed)]
    with open(volume, "r+b") as file:
        file.seek(bitmaps[0] * 1024)
        file.write(bytes(1024))
    _, found = survey(volume)
    assert found.space is not None
    assert "1 of its 5 groups" in found.remarks[0]
    first_group = Extent(0, 8193 * 1024)
    assert list(joined(found.space.extents(0, first_group.size))) == [first_group]
    behind = [*honest.extents(first_group.size, volume.stat().st_size)]
    assert [*found.space.extents(first_group.size, volume.stat().st_size)] == behind


def test_ext_bitmap_with_the_right_count_and_wrong_checksum_is_not_believed(
    tmp_path: Path,
) -> None:
    volume = make_file_system(tmp_path / "v", 8 * MIB, "mke2fs", "-qF", "-t", "ext4")
    place = int(re.findall(r"Block bitmap at (\d+)", run_tool("dumpe2fs", volume))[0]) * 1024
    with open(volume, "r+b") as file:
        file.seek(place)
        bits = file.read(1024)
        file.seek(place)
        file.write(bits[::-1])
    _, found = survey(volume)
    assert found.space is not None
    assert (found.space.used_bytes, len(found.remarks)) == (8 * MIB, 1)


def test_ext_descriptor_with_a_wrong_checksum_of_the_old_kind_is_not_believed(
    tmp_path: Path,
) -> None:
    options = ["-O", "uninit_bg,^metadata_csum,^64bit", "-b", "1024"]
    volume = make_file_system(tmp_path / "v", 40 * MIB, "mke2fs", "-qFt", "ext4", *options)
    # The flag that says the last group's bitmap was never written.
    flags = 2 * 1024 + 4 * 32 + 18
    data = bytearray(volume.read_bytes())
    data[flags] ^= 2
    volume.write_bytes(data)
    _, found = survey(volume)
    assert (found.space, len(found.remarks)) == (None, 1)
    assert "checksum of a group's descriptor" in found.remarks[0]


@pytest.mark.parametrize("options", ["-b 1024", "-b 4096", "-O metadata_csum_seed"])
def test_ext_superblock_with_a_wrong_checksum_is_not_believed(tmp_path: Path, options: str) -> None:
    command = ["mke2fs", "-qFt", "ext4", *options.split()]
    volume = make_file_system(tmp_path / "v", 8 * MIB, *command)
    assert space_of(volume).used_bytes < 8 * MIB
    with open(volume, "r+b") as file:
        file.seek(1024 + 12)  # free blocks: as good a number as any other
        file.write(b"\1")
    _, found = survey(volume)
    assert (found.space, len(found.remarks)) == (None, 1)
    assert "superblock is damaged: the checksum is wrong" in found.remarks[0]


@pytest.mark.parametrize("options", FAT_OPTIONS)
def test_fat_clusters_are_those_that_fsck_counts(tmp_path: Path, options: str) -> None:
    sizes = {"12": 8 * MIB, "16": 60 * MIB, "32": 300 * MIB}
    size = sizes[options.split()[1]]
    volume = make_file_system(tmp_path / "v", size, "mkfs.fat", *options.split())
    scatter(volume, put_fat, remove_fat)
    # The last line is "v: 14 files, 321/2036 clusters".
    told = re.search(r"(\d+)/(\d+) clusters", run_tool("fsck.fat", "-n", "-v", volume))
    assert told is not None
    space = space_of(volume)
    assert (space.used_clusters, space.clusters) == (int(told[1]), int(told[2]))


@pytest.mark.parametrize("options", ["", "-c 512", "-c 65536", "-c 32768 -L long"])
def test_exfat_clusters_are_those_that_dump_exfat_counts(tmp_path: Path, options: str) -> None:
    volume = make_file_system(tmp_path / "v", 200 * MIB, "mkfs.exfat", *options.split())
    told = run_tool("dump.exfat", volume)
    clusters, free = (
        int(re.search(rf"{name} Clusters:\s+(\d+)", told)[1])  # type: ignore[index] # it is there
        for name in ("Total", "Free")
    )
    space = space_of(volume)
    assert (space.clusters, space.clusters - space.used_clusters) == (clusters, free)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount exFAT")
def test_exfat_clusters_of_files_are_stored_whatever_the_bitmap_says(tmp_path: Path) -> None:
    volume = make_file_system(tmp_path / "v", 16 * MIB, "mkfs.exfat", "-c", "4096")
    with mounted_exfat(volume, tmp_path / "mounted") as mounted:
        (mounted / "folder" / "deep").mkdir(parents=True)
        for number, name in enumerate(("one", "folder/two", "folder/deep/three")):
            (mounted / name).write_bytes(random.Random(number).randbytes(50_000))
        with open(mounted / "one", "ab") as file:  # no longer in one piece
            file.write(bytes(50_000))
    honest = space_of(volume)
    data = bytearray(volume.read_bytes())
    at = data.index(honest.bitmap, honest.origin)
    data[at : at + len(honest.bitmap)] = bytes(len(honest.bitmap))
    volume.write_bytes(data)
    _, found = survey(volume)
    assert found.space == honest
    assert f"calls {honest.used_clusters} clusters free" in found.remarks[0]


def free_ntfs_clusters(volume: Path) -> tuple[int, int]:
    """All clusters and the free ones, by ntfsinfo."""
    told = run_tool("ntfsinfo", "--mft", volume)
    found = re.findall(r"(?:Volume Size in|Free) Clusters: (\d+)", told)
    return int(found[0]), int(found[1])


@pytest.mark.parametrize("options", ["", "-c 512", "-c 65536", "-c 2048 -s 512"])
def test_ntfs_clusters_are_those_that_ntfsinfo_counts(tmp_path: Path, options: str) -> None:
    command = ["mkntfs", "-qfF", *options.split()]
    volume = make_file_system(tmp_path / "v", 100 * MIB, *command)
    scatter(volume, put_ntfs, None)
    space = space_of(volume)
    clusters, free = free_ntfs_clusters(volume)
    assert (space.clusters, space.clusters - space.used_clusters) == (clusters, free)
    # NTFS's second boot sector stands behind the last cluster.
    last = space.size - 512
    assert next(space.extents(last, space.size)).start == last


def test_damaged_ntfs_records_are_remarked_and_unused_ones_are_not(tmp_path: Path) -> None:
    volume = make_file_system(tmp_path / "v", 16 * MIB, "mkntfs", "-qfF")
    with mounted_ntfs(volume, tmp_path / "mounted") as mounted:
        for name in ("one", "two", "gone"):
            (mounted / name).write_bytes(b"x" * 5000)
        hit = [(mounted / name).stat().st_ino for name in ("one", "two")]
        unused = (mounted / "gone").stat().st_ino
        (mounted / "gone").unlink()
    with open(volume, "r+b") as file:
        boot = file.read(512)
        table = int.from_bytes(boot[48:56], "little") * boot[13] * 512
        for record, damage in ((hit[0], b"BAAD"), (hit[1], bytes(4)), (unused, b"BAAD")):
            file.seek(table + record * 1024)
            file.write(damage)
    _, found = survey(volume)
    (remark,) = found.remarks
    assert remark.startswith("2 of its file records are damaged")


@pytest.fixture(scope="module")
def in_pieces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Table of files and page file so fragmented that each needs a list of its attributes."""
    folder = tmp_path_factory.mktemp("in_pieces")
    command = ["mkntfs", "-qfF", "-c", "512", "-z", "1"]
    volume = make_file_system(folder / "v", 16 * MIB, *command)
    with mounted_ntfs(volume, folder / "mounted") as mounted:
        fill_in_pieces(mounted, "pagefile.sys")
    for file in (["-i", "0"], ["-F", "pagefile.sys"]):
        assert "$ATTRIBUTE_LIST" in run_tool("ntfsinfo", *file, volume)
    return volume


def test_ntfs_in_hundreds_of_pieces_is_counted_right(in_pieces: Path) -> None:
    space = space_of(in_pieces, include_all=True)
    assert (space.clusters, space.clusters - space.used_clusters) == free_ntfs_clusters(in_pieces)


def test_page_file_in_hundreds_of_pieces_is_left_out(in_pieces: Path) -> None:
    _, found = survey(in_pieces)
    assert (found.left_out, found.remarks) == (("pagefile.sys",), ())
    assert found.space is not None
    told = run_tool("ntfsinfo", "-F", "pagefile.sys", in_pieces)
    size = max(int(size) for size in re.findall(r"Allocated size:\s+(\d+)", told))
    assert size > MIB
    kept = space_of(in_pieces, include_all=True)
    assert kept.used_bytes - found.space.used_bytes == size


def test_files_that_windows_makes_anew_are_left_out_and_named(tmp_path: Path) -> None:
    volume = make_file_system(tmp_path / "v", 64 * MIB, "mkntfs", "-qfF")
    content = os.urandom(100_000)
    names = ["PageFile.sys", "hiberfil.sys", "swapfile.sys", "System Volume Information/x"]
    others = ["folder/pagefile.sys", "xpagefile.sys", f"folder/{SHADOW_STORE}", "kept.bin"]
    with mounted_ntfs(volume, tmp_path / "mounted") as mounted:
        (mounted / "folder").mkdir()
        (mounted / "System Volume Information").mkdir()
        for name in [*names, f"System Volume Information/{SHADOW_STORE}", *others]:
            (mounted / name).write_bytes(content)
    _, found = survey(volume)
    assert found.left_out == (
        "PageFile.sys",
        f"System Volume Information/{SHADOW_STORE}",
        "hiberfil.sys",
        "swapfile.sys",
    )
    assert found.space is not None
    kept = space_of(volume, include_all=True)
    assert kept.used_clusters - found.space.used_clusters == 4 * -(-100_000 // 4096)


def test_of_swap_only_the_header_is_used(tmp_path: Path) -> None:
    volume = make_file_system(tmp_path / "v", 8 * MIB, "mkswap", "-q")
    assert list(space_of(volume).extents(0, 8 * MIB)) == [Extent(0, 4096)]
    assert space_of(volume).used_bytes == 4096
    assert survey(volume, include_all=True)[1].space is None
