"""An NTFS volume with one very large folder, made anew, the same every time."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.foreign_volumes import make_empty, mounted_ntfs

CONTENT = b"the first byte and some more"
REPORT = "Users/me/documents/report"
MANY = "Users/me/many"
SOUGHT = f"{MANY}/sought"


def make_volume(scratch: Path, names: int) -> Path:
    """``REPORT`` stands at an ordinary path, ``SOUGHT`` beside so many empty files in ``MANY``."""
    volume = make_empty(scratch / "volume", (64 << 20) + names * 5000, "mkntfs", "-Q", "-F")
    with mounted_ntfs(volume, scratch / "mounted") as mounted:
        for path in (REPORT, SOUGHT):
            (mounted / path).parent.mkdir(parents=True)
            (mounted / path).write_bytes(CONTENT)
        for number in range(names):
            (mounted / MANY / f"entry number {number:06d} of many").touch()
    return volume
