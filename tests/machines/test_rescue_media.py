"""Rescue media in virtual machines: built once, started by every firmware, as CD and as key."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from backup_agent.errors import CommandFailedError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import ignore
from backup_agent.services.media.image import find_in_image
from iso_builder.build import build
from iso_builder.config import BuildConfig
from iso_builder.qemu import Firmware, Shape, TrialMachine
from iso_builder.trial import switched_on, try_out
from tests.helpers.disk_images import run_tool
from tests.machines.conftest import SETTINGS
from tests.machines.qemu import alone
from tests.servers.environments import cache_folder

_BOOT_SECONDS = 600.0
_LARGEST = 400 << 20
_DISK_SIZE = 64 << 20
_SMALLEST_WIDTH = 1024
_NETWORK = (
    "python3 -c 'from rescue_media.network.nmcli import *; print(network_state().sentence())'"
)
_FEWEST_SHADES = 8


def test_bios_starts_the_medium_which_is_found_whole(medium: Path) -> None:
    """Up to Debian's own start, which is the same by every firmware."""
    with (
        alone(),
        switched_on(
            medium,
            TrialMachine(firmware=Firmware.BIOS),
            limit_seconds=_BOOT_SECONDS,
            cancel=CancelToken(),
        ) as running,
    ):
        said = running.listen("Starting ...")
    assert said.index("Looking for the medium") < said.index("Checking the medium")


@pytest.mark.full
@pytest.mark.parametrize("shape", Shape)
@pytest.mark.parametrize("firmware", Firmware)
def test_the_medium_reaches_its_window_and_shows_the_disks(
    medium: Path, firmware: Firmware, shape: Shape, tmp_path: Path
) -> None:
    picture = tmp_path / "window.png"
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(_DISK_SIZE))
    with alone():
        trial = try_out(
            medium,
            TrialMachine(firmware=firmware, shape=shape, disks=(disk,)),
            commands=(
                "everboot disks",
                "cat /proc/cmdline",
                "cat /sys/kernel/security/lockdown",
                _NETWORK,
            ),
            screenshot=picture,
            limit_seconds=_BOOT_SECONDS,
            cancel=CancelToken(),
        )
    _require_something_drawn(picture)
    disks, words, lockdown, network = trial.answers
    assert trial.display == "cage"
    assert "/dev/vda: 64" in disks
    assert "everboot.keyboard=us" in words
    assert "Connected by cable, 10.0.2.15/24" in network
    # Debian's kernel locks itself down where it was started by Secure Boot, and only there.
    assert ("[integrity]" in lockdown) == (firmware is Firmware.SECURE_BOOT)


@pytest.mark.full
def test_without_graphics_drivers_the_window_is_drawn_on_the_frame_buffer(
    medium: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "window.png"
    with alone():
        trial = try_out(
            medium,
            TrialMachine(firmware=Firmware.BIOS, safe_graphics=True),
            screenshot=picture,
            limit_seconds=_BOOT_SECONDS,
            cancel=CancelToken(),
        )
    assert trial.display == "linuxfb"
    _require_something_drawn(picture)


@pytest.mark.full
def test_a_damaged_medium_runs_nothing_of_itself(medium: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.iso"
    damaged.write_bytes(medium.read_bytes())
    with damaged.open("r+b") as file:
        extent = find_in_image(file, "everboot/layers/application.squashfs")
        file.seek(extent.end - 100)
        file.write(b"damaged")
    with alone(), pytest.raises(CommandFailedError, match="so nothing of it was run"):
        try_out(
            damaged,
            TrialMachine(firmware=Firmware.BIOS),
            limit_seconds=_BOOT_SECONDS,
            cancel=CancelToken(),
        )


@pytest.mark.full
def test_two_builds_of_the_same_are_the_same(medium: Path, tmp_path: Path) -> None:
    config = BuildConfig(output=tmp_path / "again.iso", cache=cache_folder())
    again = build(config, SETTINGS, emit=ignore, cancel=CancelToken()).file
    assert again.read_bytes() == medium.read_bytes()


def test_the_medium_is_small_enough_to_be_downloaded(medium: Path) -> None:
    assert medium.stat().st_size <= _LARGEST


@pytest.mark.parametrize("layer", ["application", "libraries", "qt"])
def test_no_start_has_to_translate_python(medium: Path, layer: str, tmp_path: Path) -> None:
    packed = tmp_path / f"{layer}.squashfs"
    packed.write_bytes(_read_layer(medium, packed.name))
    files = run_tool("unsquashfs", "-lls", packed).splitlines()
    sources = sum(line.endswith(".py") for line in files if "dist-packages" in line)
    assert sources
    assert sum(line.endswith(".cpython-313.pyc") for line in files) == sources


def _read_layer(medium: Path, name: str) -> bytes:
    with medium.open("rb") as file:
        extent = find_in_image(file, f"everboot/layers/{name}")
        file.seek(extent.start)
        return file.read(extent.size)


def _require_something_drawn(picture: Path) -> None:
    """A whole screen with letters on it: their smooth edges have many shades."""
    image = QImage(str(picture))
    assert image.width() >= _SMALLEST_WIDTH
    step = 3
    shades = {
        image.pixel(x, y)
        for x in range(0, image.width(), step)
        for y in range(0, image.height(), step)
    }
    assert len(shades) > _FEWEST_SHADES
