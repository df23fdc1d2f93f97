"""A full vault, of whose packs each is needed in part: restic and everboot find the way out."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from console_ui.storage.models import Alarm, Vault
from tests.command_line import CommandLine
from tests.console.gateways import Device
from tests.points import PASSWORD as REPOSITORY_PASSWORD

_MIB = 1 << 20


@pytest.fixture
def full(device: Device, tmp_path: Path) -> Device:
    """Half of its data is needed, which is more than the gateway takes beyond the quota."""
    files = tmp_path / "files"
    files.mkdir()
    chance = random.Random(7)
    for number in range(44):
        (files / f"{number:02}").write_bytes(chance.randbytes(4 * _MIB))
    device.init()
    device("backup", files)
    for number in range(1, 44, 2):
        (files / f"{number:02}").unlink()
    device("backup", files)
    Vault.objects.update(quota_bytes=Vault.objects.get().visible_bytes + 20_000)
    device("forget", "--keep-last", "1")
    return device


def test_stock_restic_prunes_in_the_steps_that_the_page_names(full: Device) -> None:
    before = Vault.objects.get().visible_bytes
    assert "507" in full.refused("prune")
    full("unlock")

    rounds = 0
    held = before + 1
    while (holds := Vault.objects.get().visible_bytes) < held or rounds < 2:
        held = holds
        full("prune", "--max-repack-size", "48M")
        rounds += 1

    assert Vault.objects.get().visible_bytes < before * 0.6
    full.check()
    full("prune")


def test_everboot_prunes_in_steps_by_itself(full: Device, tmp_path: Path) -> None:
    before = Vault.objects.get().visible_bytes
    shell = CommandLine(
        tmp_path,
        {
            "EVERBOOT_REPOSITORY": f"rest:{full.url}",
            "EVERBOOT_PASSWORD": REPOSITORY_PASSWORD,
            "EVERBOOT_REST_USERNAME": full.login,
            "EVERBOOT_REST_PASSWORD": full.password,
        },
    )

    done = shell.spawn("prune")

    assert done.code == 0, done.err
    assert "in steps" in done.err + done.out
    assert Vault.objects.get().visible_bytes < before * 0.6
    full.check()
    assert not Alarm.objects.filter(reason="points").exists()
