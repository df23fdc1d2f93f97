"""A volume taken out of a disk image and put back: nothing beside it changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from backup_agent.model.disk import Extent
from backup_agent.services.demo.volume_file import changed_in, take_out

MIB = 1 << 20
PLACE = Extent(MIB, 2 * MIB + 512)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(b"a" * MIB + bytes(MIB) + b"b" * MIB + b"c" * 512 + b"d" * MIB)
    return path


def test_volume_taken_out_has_its_bytes_and_size(image: Path, tmp_path: Path) -> None:
    take_out(image, PLACE, tmp_path / "volume")
    assert (tmp_path / "volume").read_bytes() == bytes(MIB) + b"b" * MIB + b"c" * 512


def test_changes_are_put_back_and_so_are_new_zeros(image: Path) -> None:
    with changed_in(image, PLACE) as volume, open(volume, "r+b") as file:
        file.write(b"x")
        file.seek(MIB)
        file.write(bytes(MIB))
        file.write(b"y" * 512)
    wanted = b"a" * MIB + b"x" + bytes(2 * MIB - 1) + b"y" * 512 + b"d" * MIB
    assert image.read_bytes() == wanted
    assert [path.name for path in image.parent.iterdir()] == ["disk.img"]


def fail_half_way(image: Path) -> None:
    with changed_in(image, PLACE) as volume:
        volume.write_bytes(b"half done")
        raise InterruptedError


def test_volume_is_not_put_back_after_a_failure(image: Path) -> None:
    before = image.read_bytes()
    with pytest.raises(InterruptedError):
        fail_half_way(image)
    assert image.read_bytes() == before
    assert [path.name for path in image.parent.iterdir()] == ["disk.img"]
