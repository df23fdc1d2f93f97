"""The finished image, looked at from outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from backup_agent.errors import IntegrityError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.media import MediaSettings
from backup_agent.services.media.image import find_in_image, read_from_image
from backup_agent.services.media.slot import read_settings
from iso_builder.personalise import personalise
from iso_builder.proof import check_image
from tests.helpers.small_medium import make_small_medium

SETTINGS = MediaSettings("https://backup.example.org", "AA11-BB22-CC33")


@pytest.fixture(name="medium")
def _medium(tmp_path: Path) -> Path:
    return make_small_medium(tmp_path)


def test_a_whole_image_passes_and_its_layers_are_told(medium: Path) -> None:
    layers = check_image(medium, cancel=CancelToken())
    assert [layer.name for layer in layers] == ["layer0.squashfs", "layer1.squashfs"]


def test_one_changed_byte_in_a_layer_is_found(medium: Path) -> None:
    with medium.open("r+b") as file:
        extent = find_in_image(file, "everboot/layers/layer1.squashfs")
        file.seek(extent.end - 1)
        file.write(b"\x77")
    with pytest.raises(IntegrityError, match=r"layer1\.squashfs"):
        check_image(medium, cancel=CancelToken())


@pytest.mark.parametrize(("place", "lost"), [(510, "BIOS"), (512, "UEFI"), (17 * 2048, "CD")])
def test_an_image_that_some_firmware_would_not_start_is_found(
    medium: Path, place: int, lost: str
) -> None:
    with medium.open("r+b") as file:
        file.seek(place)
        file.write(b"\xee\xee")
    with pytest.raises(IntegrityError, match=lost):
        check_image(medium, cancel=CancelToken())


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    images = []
    for name in ("once", "again"):
        (tmp_path / name).mkdir()
        images.append(make_small_medium(tmp_path / name).read_bytes())
    assert images[0] == images[1]


def test_a_file_in_a_folder_with_many_others_is_found(tmp_path: Path) -> None:
    """The folder's records fill several sectors."""
    image = make_small_medium(tmp_path, layers=60)
    with image.open("rb") as file:
        for number in range(60):
            content = read_from_image(file, f"everboot/layers/layer{number}.squashfs")
            assert content == bytes([number]) * (100_000 + number)


def test_personalising_copies_and_says_the_copys_hash(medium: Path, tmp_path: Path) -> None:
    before = medium.read_bytes()
    output = tmp_path / "mine.iso"
    built = personalise(medium, output, SETTINGS)
    assert medium.read_bytes() == before
    with output.open("rb") as file:
        assert read_settings(file) == SETTINGS
    assert (tmp_path / "mine.iso.sha256").read_text() == f"{built.sha256}  mine.iso\n"
    check_image(output, cancel=CancelToken())


def test_personalising_something_else_leaves_nothing_behind(tmp_path: Path) -> None:
    other = tmp_path / "other.iso"
    other.write_bytes(bytes(1 << 20))
    with pytest.raises(IntegrityError):
        personalise(other, tmp_path / "mine.iso", SETTINGS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.iso"]
