"""What other people's tools say of a restored disk: its table, its file systems, its files."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

from backup_agent.filesystems.layout import read_layout, read_volumes
from backup_agent.host.select import current_host
from backup_agent.model.disk import DiskLayout, FileSystemKind, TableKind, Volume
from tests.helpers.disk_images import run_tool

_FATS = (FileSystemKind.FAT12, FileSystemKind.FAT16, FileSystemKind.FAT32)
_EXTS = (FileSystemKind.EXT2, FileSystemKind.EXT3, FileSystemKind.EXT4)


@dataclass(frozen=True, slots=True)
class Examined:
    layout: DiskLayout
    volumes: dict[int, Volume]


def examine(image: Path, *, sector_size: int = 512) -> Examined:
    """Layout and volumes of an image, as the product reads them."""
    with open(image, "rb", buffering=0) as file:
        layout = read_layout(file, current_host().disk(str(image)), sector_size=sector_size)
        return Examined(layout, {v.number: v for v in read_volumes(file, layout)})


def require_clean(image: Path, scratch: Path) -> Examined:
    """The table and every file system without a flaw, in the eyes of their own tools."""
    found = examine(image)
    assert found.layout.table.flaws == ()
    if found.layout.table.kind is TableKind.GPT:
        assert "No problems found" in run_tool("sgdisk", "-v", image)
    if found.layout.table.kind is not TableKind.NONE:
        run_tool("sfdisk", "--verify", image)
    for number, volume in found.volumes.items():
        require_clean_volume(cut_out(image, volume, scratch / f"volume{number}"), volume)
    return found


def cut_out(image: Path, volume: Volume, path: Path) -> Path:
    """The volume as a file of its own, as its tools want it."""
    with open(image, "rb") as file:
        file.seek(volume.start)
        path.write_bytes(file.read(volume.size))
    return path


def require_clean_volume(path: Path, volume: Volume) -> None:
    kind = volume.file_system.kind
    if kind is FileSystemKind.NTFS:
        run_tool("ntfsresize", "--check", path)
        said = run_tool("ntfsfix", "--no-action", path)
        assert "alternate boot sector... OK" in said
        assert "processed successfully" in said
    elif kind in _FATS:
        run_tool("fsck.fat", "-n", path)
    elif kind in _EXTS:
        run_tool("e2fsck", "-fn", path)


def hash_in_volume(path: Path, volume: Volume, name: str, scratch: Path) -> str:
    """The SHA-256 of a file in a volume's root folder, read by the file system's own tool."""
    kind = volume.file_system.kind
    if kind is FileSystemKind.NTFS:
        run_tool("ntfscat", "--version")  # skips where there is none; the file is no text
        with open(scratch, "wb") as file:
            subprocess.run(["ntfscat", "--force", path, name], stdout=file, check=True)
    elif kind in _FATS:
        run_tool("mcopy", "-n", "-o", "-i", path, f"::{name}", scratch)
    else:
        assert kind in _EXTS
        run_tool("debugfs", "-R", f"dump {name} {scratch}", path)
    return hashlib.sha256(scratch.read_bytes()).hexdigest()
