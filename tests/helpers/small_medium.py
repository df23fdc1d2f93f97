"""An image that is laid out like rescue media, of a few MiB, and starts nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from backup_agent.model.cancel import CancelToken
from backup_agent.services.media.slot import SLOT_PATH, empty_slot
from iso_builder.iso import write_iso
from iso_builder.manifest import Manifest, Package, layer_of


def make_small_medium(folder: Path, *, layers: int = 2) -> Path:
    """``folder/medium.iso``; skips the test without xorriso."""
    if not shutil.which("xorriso"):
        pytest.skip("needs xorriso (Debian package xorriso)")
    kit = folder / "kit"
    kit.mkdir()
    (kit / "boot_hybrid.img").write_bytes(b"boot".ljust(512, b"\0"))
    (kit / "eltorito.img").write_bytes(b"core".ljust(8192, b"\1"))
    efi = folder / "efi.img"
    efi.write_bytes(b"efi".ljust(1 << 20, b"\0"))
    files = [folder / f"layer{number}.squashfs" for number in range(layers)]
    for number, file in enumerate(files):
        file.write_bytes(bytes([number]) * (100_000 + number))
    manifest = Manifest("1.0", tuple(layer_of(file) for file in files), (Package("bash", "5.2"),))
    (folder / "manifest.json").write_text(manifest.to_json())
    (folder / "settings").write_bytes(empty_slot())
    image = folder / "medium.iso"
    write_iso(
        {
            "everboot/manifest.json": folder / "manifest.json",
            SLOT_PATH: folder / "settings",
            **{f"everboot/layers/{file.name}": file for file in files},
        },
        kit=kit,
        efi_partition=efi,
        target=image,
        cancel=CancelToken(),
    )
    return image
