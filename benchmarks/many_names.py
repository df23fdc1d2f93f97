"""A volume with one very large folder, NTFS or ext4, made anew, the same every time."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.disk_images import run_tool
from tests.helpers.foreign_volumes import make_empty, mounted_ntfs

CONTENT = b"the first byte and some more"
REPORT = "Users/me/documents/report"
MANY = "Users/me/many"
SOUGHT = f"{MANY}/sought"


def make_volume(scratch: Path, names: int) -> Path:
    """``REPORT`` stands at an ordinary path, ``SOUGHT`` beside so many empty files in ``MANY``."""
    volume = make_empty(scratch / "volume", (64 << 20) + names * 5000, "mkntfs", "-Q", "-F")
    with mounted_ntfs(volume, scratch / "mounted") as mounted:
        _fill(mounted, names)
    return volume


def make_ext_volume(scratch: Path, names: int) -> Path:
    """The same as ext4, written by the kernel's own driver. Needs root and a loop device."""
    command = ("mkfs.ext4", "-q", "-N", str(names + 1000))
    volume = make_empty(scratch / "ext", (64 << 20) + names * 1000, *command)
    place = scratch / "mounted"
    place.mkdir(exist_ok=True)
    run_tool("mount", "-o", "loop", volume, place)
    try:
        _fill(place, names)
    finally:
        run_tool("umount", place)
    return volume


def _fill(mounted: Path, names: int) -> None:
    for path in (REPORT, SOUGHT):
        (mounted / path).parent.mkdir(parents=True)
        (mounted / path).write_bytes(CONTENT)
    for number in range(names):
        (mounted / MANY / f"entry number {number:06d} of many").touch()
