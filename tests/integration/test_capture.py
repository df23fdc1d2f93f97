"""Volumes captured by their used clusters: whole in the eyes of their own tools, and of restic."""

from __future__ import annotations

import hashlib
import os
import random
import struct
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from backup_agent.errors import SourceError
from backup_agent.filesystems.reading import SeekableReader
from backup_agent.host.select import current_host
from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import Extent, Volume
from backup_agent.model.events import ignore
from backup_agent.repository.repository import create_repository
from backup_agent.services.backup import BackupResult, BackupSettings, run_backup
from backup_agent.sources.disk import DiskSource, open_disk_source
from backup_agent.storage.local import LocalBackend
from backup_agent.storage.memory import MemoryBackend
from tests.helpers.disk_images import MIB, run_tool
from tests.helpers.fake_host import FakeHost
from tests.helpers.stored_disk import CollectedDisk, CollectedFiles
from tests.helpers.volumes import (
    make_file_system,
    mounted_ntfs,
    put_ext,
    put_fat,
    put_ntfs,
    read_ext,
    read_fat,
    read_ntfs,
    remove_ext,
    remove_fat,
)
from tests.points import WEAK

DELETED = b"what was deleted must not be stored" * 1000


def never(_volume: Path, _name: str) -> None:
    """ntfs-3g has no tool that deletes without mounting."""


@dataclass(frozen=True)
class Kind:
    """A file system and the tools that know it."""

    make: tuple[str, ...]
    put: Callable[[Path, Path, str], None]
    read: Callable[[Path, str, Path], bytes]
    remove: Callable[[Path, str], None]
    checks: tuple[tuple[str, ...], ...]


NTFS = Kind(
    ("mkntfs", "-qfF"),
    put_ntfs,
    lambda volume, name, _: read_ntfs(volume, name),
    never,
    (("ntfsfix", "--no-action"), ("ntfsresize", "--check"), ("ntfsresize", "--info", "--force")),
)
FAT = Kind(("mkfs.fat",), put_fat, read_fat, remove_fat, (("fsck.fat", "-n"),))
EXT = Kind(("mke2fs", "-q", "-F"), put_ext, read_ext, remove_ext, (("e2fsck", "-fn"),))
VOLUMES = {
    "ntfs": (NTFS, ()),
    "ntfs-512": (NTFS, ("-c", "512")),
    "fat12": (FAT, ("-F12", "-s64")),
    "fat16": (FAT, ("-F16",)),
    "fat32": (FAT, ("-F32", "-s1")),
    "ext2": (EXT, ("-t", "ext2")),
    "ext3": (EXT, ("-t", "ext3")),
    "ext4": (EXT, ("-t", "ext4")),
    "ext4-bigalloc": (EXT, ("-t", "ext4", "-O", "bigalloc")),
    "ext4-meta_bg": (EXT, ("-t", "ext4", "-O", "meta_bg,^resize_inode", "-b", "1024")),
}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def capture(image: Path, *, include_all: bool = False) -> tuple[DiskSource, CollectedFiles]:
    source = open_disk_source(
        current_host(), [str(image)], part_size=16 * MIB, include_all=include_all
    )
    try:
        return source, CollectedFiles(source)
    finally:
        source.close()


def joined_parts(files: dict[str, bytes], volume: int = 0) -> bytes:
    folder = f"/disks/0/volumes/{volume}/image/"
    return b"".join(files[path] for path in sorted(files) if path.startswith(folder))


@pytest.mark.parametrize("name", VOLUMES)
def test_captured_volume_is_clean_and_every_file_is_right(tmp_path: Path, name: str) -> None:
    kind, options = VOLUMES[name]
    image = make_file_system(tmp_path / "image", 48 * MIB, *kind.make, *options)
    rng = random.Random(3)
    contents = {f"f{number}": rng.randbytes(rng.randrange(400_000)) for number in range(12)}
    scratch = tmp_path / "scratch"
    scratch.write_bytes(DELETED)
    kind.put(image, scratch, "gone")
    for file, content in contents.items():
        scratch.write_bytes(content)
        kind.put(image, scratch, file)
    kind.remove(image, "gone")
    before = sha256(image)

    source, captured = capture(image)
    stored = joined_parts(captured.files)
    assert sha256(image) == before
    assert source.remarks == ()
    (volume,) = CollectedDisk(captured.files).volumes
    assert volume.used_bytes is not None
    assert sum(map(len, contents.values())) < volume.used_bytes < 24 * MIB
    assert (DELETED[:35] in stored) == (kind.remove is never)

    restored = tmp_path / "restored"
    restored.write_bytes(stored)
    assert restored.stat().st_size == image.stat().st_size
    for command in kind.checks:
        run_tool(*command, restored)
    for file, content in contents.items():
        assert kind.read(restored, file, scratch) == content, file


def test_captured_exfat_is_clean(tmp_path: Path) -> None:
    image = make_file_system(tmp_path / "image", 48 * MIB, "mkfs.exfat", "-L", "stick")
    with open(image, "r+b") as file:
        file.seek(-4 * MIB, os.SEEK_END)
        file.write(DELETED)
    _, captured = capture(image)
    restored = tmp_path / "restored"
    restored.write_bytes(joined_parts(captured.files))
    assert "clean" in run_tool("fsck.exfat", "-n", restored)
    assert DELETED[:35] not in restored.read_bytes()


@pytest.fixture
def ntfs(tmp_path: Path) -> Path:
    image = make_file_system(tmp_path / "image", 48 * MIB, *NTFS.make)
    file = tmp_path / "file"
    file.write_bytes(random.Random(5).randbytes(3 * MIB))
    put_ntfs(image, file, "kept.bin")
    return image


def test_ntfs_includes_its_second_boot_sector(ntfs: Path) -> None:
    _, captured = capture(ntfs)
    stored = joined_parts(captured.files)
    assert stored[-512:] == stored[:512] == ntfs.read_bytes()[:512]


def test_free_clusters_are_not_even_read(ntfs: Path) -> None:
    # Nothing lies in the last MiB but the second boot sector.
    bad = [Extent(46 * MIB, MIB)]
    source = open_disk_source(FakeHost(bad=bad), [str(ntfs)])
    collected = CollectedFiles(source)
    source.close()
    assert collected.unreadable == {}
    assert joined_parts(collected.files) == ntfs.read_bytes()


def test_page_file_comes_back_as_zeros_and_with_include_all_as_it_was(
    tmp_path: Path, ntfs: Path
) -> None:
    content = random.Random(6).randbytes(2 * MIB)
    with mounted_ntfs(ntfs, tmp_path / "mounted") as mounted:
        (mounted / "pagefile.sys").write_bytes(content)
    restored = tmp_path / "restored"
    source, captured = capture(ntfs)
    restored.write_bytes(joined_parts(captured.files))
    assert source.left_out == ("/disks/0/volumes/0/pagefile.sys",)
    (volume,) = CollectedDisk(captured.files).volumes
    assert volume.left_out == ("pagefile.sys",)
    assert read_ntfs(restored, "pagefile.sys") == bytes(2 * MIB)
    run_tool("ntfsfix", "--no-action", restored)

    source, captured = capture(ntfs, include_all=True)
    assert source.left_out == ()
    assert joined_parts(captured.files) == ntfs.read_bytes()


# Bad input


def record_place(image: Path, number: int) -> int:
    """Where a file record of a small, unfragmented volume stands."""
    boot = image.read_bytes()[:512]
    (sector, per_cluster) = struct.unpack_from("<HB", boot, 11)
    (mft,) = struct.unpack_from("<Q", boot, 48)
    return int(mft * sector * per_cluster + number * 1024)


def data_runs(image: bytes, record: int) -> tuple[int, bytes]:
    """Where in the image a file's list of runs stands, and its bytes."""
    place = record + struct.unpack_from("<H", image, record + 20)[0]
    while struct.unpack_from("<I", image, place)[0] != 0x80:
        place += struct.unpack_from("<I", image, place + 4)[0]
    start = place + struct.unpack_from("<H", image, place + 32)[0]
    return start, image[start : place + struct.unpack_from("<I", image, place + 4)[0]]


def first_place(image: Path, number: int) -> int:
    """Where in a volume with clusters of 4 KiB a file's content starts."""
    _, runs = data_runs(image.read_bytes(), record_place(image, number))
    counted, located = runs[0] & 15, runs[0] >> 4
    where = runs[1 + counted : 1 + counted + located]
    return int.from_bytes(where, "little", signed=True) * 4096


def overwrite(image: Path, place: int, data: bytes) -> None:
    with open(image, "r+b") as file:
        file.seek(place)
        file.write(data)


def stored_whole(image: Path) -> str:
    """The remark on an image all of which is stored."""
    source, captured = capture(image)
    assert joined_parts(captured.files) == image.read_bytes()
    (volume,) = CollectedDisk(captured.files).volumes
    assert volume.used_bytes is None
    (remark,) = volume.remarks
    assert source.remarks == (f"{image}, volume 0: {remark}",)
    return remark


def test_broken_boot_sector_has_all_stored_and_says_so(ntfs: Path) -> None:
    overwrite(ntfs, 0, bytes(512))
    assert "boot sector is broken" in stored_whole(ntfs)


def test_boot_sector_with_a_wrong_size_has_all_stored_and_says_so(ntfs: Path) -> None:
    overwrite(ntfs, 40, struct.pack("<Q", 1 << 40))
    assert "speaks of another size" in stored_whole(ntfs)


@pytest.mark.parametrize("number", [0, 6], ids=["$MFT", "$Bitmap"])
def test_torn_record_has_all_stored_and_says_so(ntfs: Path, number: int) -> None:
    overwrite(ntfs, record_place(ntfs, number) + 510, b"\x77\x77")
    assert "torn" in stored_whole(ntfs)


def test_bitmap_that_calls_used_clusters_free_loses_no_file(tmp_path: Path, ntfs: Path) -> None:
    content = (tmp_path / "file").read_bytes()
    place = ntfs.read_bytes().index(content[:4096]) // 4096
    overwrite(ntfs, first_place(ntfs, 6) + place // 8 + 1, bytes(20))

    source, captured = capture(ntfs)
    (remark,) = source.remarks
    assert "$Bitmap calls 160 clusters free that files lie in" in remark
    restored = tmp_path / "restored"
    restored.write_bytes(joined_parts(captured.files))
    assert read_ntfs(restored, "kept.bin") == content


def used_clusters(image: Path) -> int:
    source = open_disk_source(current_host(), [str(image)])
    source.close()
    assert source.remarks == ()
    (used,) = source.disks[0].volumes
    assert used.space is not None
    return used.space.used_clusters


def test_bitmap_in_two_pieces_is_read_whole(tmp_path: Path) -> None:
    image = make_file_system(tmp_path / "image", 48 * MIB, *NTFS.make, "-c", "512")
    before = used_clusters(image)
    data = bytearray(image.read_bytes())
    record = record_place(image, 6)
    runs, old = data_runs(bytes(data), record)
    count, first = old[1], int.from_bytes(old[2:4], "little")
    kept, moved, place = count // 2, count - count // 2, 90_000
    half = data[(first + kept) * 512 : (first + count) * 512]
    for cluster in range(place, place + moved):
        # 4096 bits in each of the bitmap's clusters; all of these lie in its second half.
        bit = cluster - kept * 4096
        half[bit // 8] |= 1 << bit % 8
    data[place * 512 : (place + moved) * 512] = half
    # The list of runs gets longer by 8 bytes; attribute and record, which end with it, too.
    pieces = bytes([0x21, kept, *old[2:4], 0x31, moved]) + (place - first).to_bytes(3, "little")
    data[runs : runs + 24] = pieces.ljust(16, b"\0") + b"\xff\xff\xff\xff\0\0\0\0"
    for size in (runs - 64 + 4, record + 24):
        struct.pack_into("<I", data, size, struct.unpack_from("<I", data, size)[0] + 8)
    image.write_bytes(data)
    assert "Total runs: 2" in run_tool("ntfsinfo", "--verbose", "--inode", "6", image)
    assert used_clusters(image) == before + moved


def test_file_that_shares_clusters_with_the_page_file_loses_nothing(
    tmp_path: Path, ntfs: Path
) -> None:
    # The name of the file is what makes it a page file; its twin's record points where it does.
    first, twin = tmp_path / "first", tmp_path / "twin"
    first.write_bytes(random.Random(8).randbytes(MIB))
    twin.write_bytes(bytes(MIB))
    put_ntfs(ntfs, first, "pagefile.sys")
    put_ntfs(ntfs, twin, "twin.bin")
    image = ntfs.read_bytes()
    # The first file of all, "kept.bin", has record 64.
    records = [record_place(ntfs, number) for number in (65, 66)]
    runs = [data_runs(image, place) for place in records]
    overwrite(ntfs, runs[1][0], runs[0][1])
    content = read_ntfs(ntfs, "twin.bin")
    assert content == first.read_bytes()

    source, captured = capture(ntfs)
    assert "256 clusters belong to a file that was left out and to another one" in source.remarks[0]
    restored = tmp_path / "restored"
    restored.write_bytes(joined_parts(captured.files))
    assert read_ntfs(restored, "twin.bin") == content


def test_journal_that_holds_changes_has_all_stored(tmp_path: Path) -> None:
    image = make_file_system(tmp_path / "image", 48 * MIB, "mke2fs", "-q", "-F", "-t", "ext4")
    run_tool("debugfs", "-w", "-R", "feature needs_recovery", image)
    assert "journal holds changes" in stored_whole(image)


def test_ext_with_errors_has_all_stored(tmp_path: Path) -> None:
    image = make_file_system(tmp_path / "image", 48 * MIB, "mke2fs", "-q", "-F", "-t", "ext2")
    run_tool("debugfs", "-w", "-R", "dirty", image)
    assert "not unmounted cleanly" in stored_whole(image)


def test_unsettled_ntfs_journal_has_all_stored(ntfs: Path) -> None:
    log = first_place(ntfs, 2)
    page = bytearray(4096)
    page[:4] = b"RSTR"
    struct.pack_into("<H", page, 24, 48)
    struct.pack_into("<Q4xHH", page, 48, 7, 0, 0)
    overwrite(ntfs, log, bytes(page))
    assert "journal holds changes" in stored_whole(ntfs)
    # The same page as Windows leaves it behind: nobody is logged in.
    struct.pack_into("<H", page, 48 + 12, 0xFFFF)
    overwrite(ntfs, log, bytes(page))
    assert capture(ntfs)[0].remarks == ()


def test_bad_sectors_are_named_by_number_and_by_the_files_they_hit(
    tmp_path: Path, ntfs: Path
) -> None:
    place = ntfs.read_bytes().index((tmp_path / "file").read_bytes()[:4096])
    bad = Extent(place + 8192, 4096)
    asked: list[tuple[int, list[Extent]]] = []

    def find(_disk: SeekableReader, volume: Volume, extents: Sequence[Extent]) -> list[str]:
        asked.append((volume.number, list(extents)))
        return ["kept.bin"]

    source = open_disk_source(FakeHost(bad=[bad]), [str(ntfs)], finder=find)
    result = back_up(source)
    (omission,) = result.omissions
    first, last = bad.start // 512, bad.end // 512 - 1
    assert omission.reason == (
        "4096 bytes could not be read; zeros stand in their place."
        f" On {ntfs}, these are sectors {first}-{last}. Files in them: kept.bin."
    )
    assert omission.ranges == (bad,)
    assert asked == [(0, [bad])]


def back_up(source: DiskSource) -> BackupResult:
    repository = create_repository(MemoryBackend(), "capture", parameters=WEAK)
    try:
        return run_backup(repository, source, BackupSettings(), emit=ignore, cancel=CancelToken())
    finally:
        source.close()


@pytest.mark.parametrize("content", [b"\xaa", b""], ids=["full", "sparse"])
def test_image_that_shrinks_while_it_is_read_ends_the_backup(
    tmp_path: Path, content: bytes
) -> None:
    image = tmp_path / "image"
    image.write_bytes(content * 8 * MIB)
    os.truncate(image, 8 * MIB)
    source = open_disk_source(current_host(), [str(image)])
    os.truncate(image, 3 * MIB)
    with pytest.raises(SourceError, match="ends at byte 3145728, but had 8388608"):
        back_up(source)


def test_empty_terabytes_take_no_time(tmp_path: Path) -> None:
    # Read and hashed, eight of them would take hours.
    image = make_file_system(tmp_path / "image", 8 << 40, "mkntfs", "-qfF")
    source = open_disk_source(current_host(), [str(image)])
    (used,) = source.disks[0].volumes
    assert used.space is not None
    assert used.space.used_bytes < 1 << 30
    source.close()


def test_parts_restored_by_restic_are_a_volume_that_mounts_with_its_files(
    tmp_path: Path, ntfs: Path
) -> None:
    program = os.environ.get("RESTIC", "restic")
    # restic leaves holes since 0.15; an older one writes out the same bytes.
    sparse = ["--sparse"] if "--sparse" in run_tool(program, "restore", "--help") else []
    repository = create_repository(
        LocalBackend(tmp_path / "repository"), "capture", parameters=WEAK
    )
    source = open_disk_source(current_host(), [str(ntfs)], part_size=16 * MIB)
    result = run_backup(repository, source, BackupSettings(), emit=ignore, cancel=CancelToken())
    source.close()
    folder = tmp_path / "by-restic"
    subprocess.run(
        [
            *(program, "--no-cache", "--quiet", "-r", str(tmp_path / "repository")),
            *("restore", *sparse, result.snapshot.id, "--target", str(folder)),
        ],
        env={**os.environ, "RESTIC_PASSWORD": "capture"},
        check=True,
    )
    parts = sorted(folder.glob("disks/0/volumes/0/image/*/part"))
    assert len(parts) == 3
    if sparse:
        assert sum(part.stat().st_blocks * 512 for part in parts) < 24 * MIB
    volume = tmp_path / "volume"
    volume.write_bytes(b"".join(part.read_bytes() for part in parts))
    run_tool("ntfsfix", "--no-action", volume)
    with mounted_ntfs(volume, tmp_path / "mounted") as mounted:
        assert (mounted / "kept.bin").read_bytes() == (tmp_path / "file").read_bytes()
