"""What the proof of a restored disk notices, on a small disk with one FAT volume."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from backup_agent.errors import EverbootError
from backup_agent.services.demo.disk_proof import read_disk, require_same_disk
from tests.helpers.disk_images import make_disk, run_tool

MIB = 1 << 20
CONTENT = b"in the middle of a file " * 1000


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A volume of 40 MiB at the first MiB, and one without a file system behind it."""
    volume = tmp_path / "volume"
    with open(volume, "wb") as file:
        file.truncate(40 * MIB)
    run_tool("mkfs.fat", "-F", "32", volume)
    (tmp_path / "content").write_bytes(CONTENT)
    run_tool("mmd", "-i", volume, "::/sub")
    run_tool("mcopy", "-m", "-i", volume, tmp_path / "content", "::/sub/file.bin")
    table = "label: gpt\nstart=1MiB, size=40MiB\nstart=41MiB, size=1MiB\n"
    disk = make_disk(tmp_path / "disk.img", 43 * MIB, table)
    with open(disk, "r+b") as file:
        file.seek(MIB)
        file.write(volume.read_bytes())
    return disk


def flip(image: Path, place: int) -> None:
    with open(image, "r+b") as file:
        file.seek(place)
        (byte,) = file.read(1)
        file.seek(place)
        file.write(bytes([byte ^ 1]))


def flip_in_file(image: Path) -> None:
    flip(image, image.read_bytes().find(CONTENT[:600]))


def flip_in_table(image: Path) -> None:
    flip(image, 1024 + 40)


def flip_in_backup_table(image: Path) -> None:
    flip(image, 43 * MIB - 512 + 20)


def flip_in_fat(image: Path) -> None:
    """The first FAT only: the second says otherwise."""
    flip(image, MIB + 32 * 512 + 3 * 4)


def remove_the_file(image: Path) -> None:
    run_tool("mdel", "-i", f"{image}@@1M", "::/sub/file.bin")


def test_disk_looked_at_twice_is_the_same(image: Path, tmp_path: Path) -> None:
    truth = read_disk(image, tmp_path / "room")
    assert list(truth) == [1]
    assert require_same_disk(truth, read_disk(image, tmp_path / "room"), image) == 3
    assert not (tmp_path / "room").exists()


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (flip_in_file, r"volume 1 .*: sub/file\.bin has another sha256"),
        (remove_the_file, r"volume 1 .*: sub/file\.bin is missing"),
        (flip_in_table, "partition table"),
        (flip_in_backup_table, "partition table"),
        (flip_in_fat, r"fsck\.fat failed"),
    ],
)
def test_damaged_disk_is_found(
    image: Path, tmp_path: Path, damage: Callable[[Path], None], named: str
) -> None:
    truth = read_disk(image, tmp_path / "room")
    damage(image)
    with pytest.raises(EverbootError, match=named):
        require_same_disk(truth, read_disk(image, tmp_path / "room"), image)
    assert not (tmp_path / "room").exists()


def test_lost_file_system_is_found(image: Path, tmp_path: Path) -> None:
    truth = read_disk(image, tmp_path / "room")
    with open(image, "r+b") as file:
        file.seek(MIB)
        file.write(bytes(512))
    with pytest.raises(EverbootError, match=r"sub/file\.bin is missing"):
        require_same_disk(truth, read_disk(image, tmp_path / "room"), image)
