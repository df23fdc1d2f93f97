"""File systems at a volume's start, compared with what blkid says of the same bytes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from backup_agent.filesystems.recognise import recognise
from backup_agent.model.disk import FileSystemKind
from tests.helpers.disk_images import MIB, make_volume, run_tool

MADE = {
    FileSystemKind.NTFS: (8 * MIB, ["mkntfs", "-qfF", "-L", "Daten ü"]),
    FileSystemKind.FAT12: (2 * MIB, ["mkfs.fat", "-F12", "-n", "TWELVE"]),
    FileSystemKind.FAT16: (16 * MIB, ["mkfs.fat", "-F16", "-n", "SIXTEEN"]),
    FileSystemKind.FAT32: (40 * MIB, ["mkfs.fat", "-F32", "-n", "THIRTY TWO"]),
    FileSystemKind.EXFAT: (8 * MIB, ["mkfs.exfat", "-L", "Größe"]),
    FileSystemKind.EXT2: (4 * MIB, ["mkfs.ext2", "-q", "-L", "two"]),
    FileSystemKind.EXT3: (4 * MIB, ["mkfs.ext3", "-q", "-L", "three"]),
    FileSystemKind.EXT4: (4 * MIB, ["mkfs.ext4", "-q", "-L", "four"]),
    FileSystemKind.SWAP: (1 * MIB, ["mkswap", "-q", "-L", "paging"]),
}
CLUSTER_SIZES = {
    FileSystemKind.NTFS: 4096,
    FileSystemKind.FAT12: 2048,
    FileSystemKind.FAT16: 2048,
    FileSystemKind.FAT32: 512,
    FileSystemKind.EXFAT: 4096,
    FileSystemKind.EXT2: 1024,
    FileSystemKind.EXT3: 1024,
    FileSystemKind.EXT4: 1024,
    FileSystemKind.SWAP: 4096,
}


def blkid(path: Path) -> dict[str, str]:
    out = run_tool("blkid", "-p", "-o", "udev", path)
    return dict(line.split("=", 1) for line in out.splitlines())


@pytest.mark.parametrize("kind", MADE)
def test_kind_label_and_serial_are_what_blkid_says(tmp_path: Path, kind: FileSystemKind) -> None:
    path = tmp_path / "volume"
    size, command = MADE[kind]
    start = 3 * MIB + 512
    data = bytes(start) + make_volume(path, size, command)
    theirs = blkid(path)
    ours = recognise(io.BytesIO(data), start)
    assert ours.kind is kind
    assert (ours.serial, ours.cluster_size) == (theirs["ID_FS_UUID"], CLUSTER_SIZES[kind])
    assert ours.label == command[command.index("-L" if "-L" in command else "-n") + 1]


@pytest.mark.parametrize("tables", [1, 3, 4])
def test_fat_with_an_odd_number_of_tables_is_one(tmp_path: Path, tables: int) -> None:
    command = ["mkfs.fat", "-F32", "-s1", "-f", str(tables)]
    data = make_volume(tmp_path / "volume", 40 * MIB, command)
    found = recognise(io.BytesIO(data), 0)
    assert (found.kind, found.cluster_size) == (FileSystemKind.FAT32, 512)


def test_fat_label_of_the_root_folder_wins_over_the_boot_sectors(tmp_path: Path) -> None:
    path = tmp_path / "volume"
    make_volume(path, 2 * MIB, ["mkfs.fat", "-n", "SAME"])
    data = bytearray(path.read_bytes())
    data[43:54] = b"STALE      "
    assert recognise(io.BytesIO(data), 0).label == "SAME"


@pytest.mark.parametrize("version", ["luks1", "luks2"])
def test_luks_shows_its_uuid(tmp_path: Path, version: str) -> None:
    path = tmp_path / "volume"
    with open(path, "wb") as file:
        file.truncate(20 * MIB)
    quick = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "-q", "--key-file", "-"]
    run_tool("cryptsetup", "luksFormat", "--type", version, *quick, path, feed="not a secret")
    ours = recognise(io.BytesIO(path.read_bytes()), 0)
    assert (ours.kind, ours.serial) == (FileSystemKind.LUKS, blkid(path)["ID_FS_UUID"])


def test_bitlocker_is_told_from_ntfs() -> None:
    boot = bytearray(512)
    boot[:11] = b"\xeb\x58\x90-FVE-FS-"
    assert recognise(io.BytesIO(boot), 0).kind is FileSystemKind.BITLOCKER


@pytest.mark.parametrize("data", [b"", bytes(511), bytes(MIB), b"\xff" * MIB])
def test_what_is_nothing_known_is_unknown(data: bytes) -> None:
    assert recognise(io.BytesIO(data), 0).kind is FileSystemKind.UNKNOWN


def test_ntfs_that_claims_a_table_behind_the_end_of_numbers_has_no_label(tmp_path: Path) -> None:
    data = bytearray(make_volume(tmp_path / "volume", 2 * MIB, ["mkntfs", "-qfF", "-L", "name"]))
    data[13] = 0xF4  # clusters of 2 MiB
    data[48:56] = (0xFF << 40).to_bytes(8, "little")
    found = recognise(io.BytesIO(data), 0)
    assert (found.kind, found.label) == (FileSystemKind.NTFS, "")
