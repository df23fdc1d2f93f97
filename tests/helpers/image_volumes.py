"""The volumes of a disk image as folders, without mounting what this kernel cannot mount."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backup_agent.model.disk import FileSystemKind, Volume
from tests.helpers.disk_checks import cut_out, examine
from tests.helpers.disk_images import place, run_tool
from tests.helpers.volumes import mounted_ntfs


class ImageVolumes:
    """NTFS by ntfs-3g; FAT and ext copied out, and changed files copied back."""

    def __init__(self, image: Path, scratch: Path) -> None:
        self._image = image
        self._scratch = scratch

    @contextmanager
    def folder(
        self, number: int, kind: FileSystemKind, *, writable: bool = False
    ) -> Iterator[Path]:
        volume = next(v for v in examine(self._image).volumes.values() if v.number == number)
        file = cut_out(self._image, volume, self._scratch / f"volume{number}")
        root = self._scratch / f"root{number}"
        if kind is FileSystemKind.NTFS:
            with mounted_ntfs(file, root, "remove_hiberfile" if writable else "ro"):
                yield root
        else:
            yield from _copied(file, kind, root, writable=writable)
        if writable:
            place(self._image, volume.start, file.read_bytes())


def _copied(file: Path, kind: FileSystemKind, root: Path, *, writable: bool) -> Iterator[Path]:
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    fat = kind is not FileSystemKind.EXT4
    if fat:
        run_tool("mcopy", "-s", "-n", "-i", file, "::/*", root)
    else:
        run_tool("debugfs", "-R", f"rdump / {root}", file)
    yield root
    if writable and fat:
        run_tool("mcopy", "-s", "-o", "-i", file, *root.iterdir(), "::/")
    elif writable:
        for changed in (path for path in root.rglob("*") if path.is_file()):
            name = changed.relative_to(root).as_posix()
            run_tool("debugfs", "-w", "-R", f"rm {name}", file)
            run_tool("debugfs", "-w", "-R", f"write {changed} {name}", file)
    shutil.rmtree(root)


def volume_of(image: Path, number: int) -> Volume:
    return examine(image).volumes[number]
