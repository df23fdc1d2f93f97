"""Stock restic through the gateway: everything a device does, and what it must not be able to."""

from __future__ import annotations

import random
from pathlib import Path

from tests.console.gateways import Device


def make_files(folder: Path, seed: int, *, count: int = 6, size: int = 300_000) -> None:
    """Files whose bytes cannot be compressed, so that packs are as large as they seem."""
    folder.mkdir(exist_ok=True)
    source = random.Random(seed)
    for number in range(count):
        (folder / f"{seed}-{number}.bin").write_bytes(source.randbytes(size))


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_restic_backs_up_checks_restores_and_prunes(device: Device, tmp_path: Path) -> None:
    files = tmp_path / "files"
    make_files(files, 1)
    device("init")
    device("backup", files)
    make_files(files, 2)
    device("backup", files)
    device.check()

    device("restore", "latest", "--target", tmp_path / "restored")
    assert contents(tmp_path / "restored") == contents(files)

    device("forget", "--keep-last", "1", "--prune")
    device.check()
    assert len(device.names("snapshots")) == 1
    assert device.names("locks") == []
