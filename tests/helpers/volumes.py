"""Volumes with files in them, made and looked into by the file systems' own tools."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.helpers.disk_images import run_tool

SHADOW_STORE = "{12345678-9abc-def0-1234-56789abcdef0}{3808876b-c176-4e48-b7ae-04046e6cc752}"


def make_file_system(path: Path, size: int, *command: str) -> Path:
    """An image of that size, formatted by the command, to which the path is appended."""
    with open(path, "wb") as file:
        file.truncate(size)
    run_tool(*command, path)
    return path


def put_fat(volume: Path, source: Path, name: str) -> None:
    run_tool("mcopy", "-o", "-i", volume, source, f"::{name}")


def put_ntfs(volume: Path, source: Path, name: str) -> None:
    run_tool("ntfscp", "--quiet", "--force", volume, source, name)


def put_ext(volume: Path, source: Path, name: str) -> None:
    run_tool("debugfs", "-w", "-R", f"write {source} {name}", volume)


def remove_fat(volume: Path, name: str) -> None:
    run_tool("mdel", "-i", volume, f"::{name}")


def remove_ext(volume: Path, name: str) -> None:
    run_tool("debugfs", "-w", "-R", f"rm {name}", volume)


def read_ntfs(volume: Path, name: str) -> bytes:
    """Its content; an empty answer stands for a file that is not there."""
    command = ["ntfscat", "--force", "--quiet", str(volume), name]
    return subprocess.run(command, capture_output=True, check=True).stdout


def read_fat(volume: Path, name: str, scratch: Path) -> bytes:
    run_tool("mcopy", "-n", "-o", "-i", volume, f"::{name}", scratch)
    return scratch.read_bytes()


@contextmanager
def mounted_ntfs(volume: Path, place: Path, *options: str) -> Iterator[Path]:
    """The volume as a folder, by ntfs-3g; unmounted, and so written out, at the end."""
    if not Path("/dev/fuse").exists() or not shutil.which("ntfs-3g"):
        pytest.skip("needs FUSE and ntfs-3g (Debian package ntfs-3g)")
    place.mkdir(exist_ok=True)
    # In the foreground, so that its end is the moment when everything has been written.
    driver = subprocess.Popen(
        ["ntfs-3g", "-o", ",".join(("no_detach", *options)), volume, place],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not place.is_mount():
            assert driver.poll() is None, "ntfs-3g did not mount the volume"
        yield place
    finally:
        subprocess.run(["fusermount", "-u", place], check=driver.poll() is None)
        driver.wait()


def fill_in_pieces(folder: Path, last: str) -> None:
    """Fill a volume with small files, delete every other, and fill the gaps with records and one
    more file: so its table of files and that file lie in hundreds of pieces.
    """
    kept: list[Path] = []
    with suppress(OSError):
        while True:
            kept.append(folder / f"file{len(kept)}")
            kept[-1].write_bytes(b"x" * 1000)
    for path in kept[::2]:
        path.unlink()
    with suppress(OSError):
        for number in range(len(kept) // 3):
            (folder / f"empty{number}").touch()
    with suppress(OSError), open(folder / last, "wb", buffering=0) as file:
        while True:
            file.write(b"y" * 4096)


def read_ext(volume: Path, name: str, scratch: Path) -> bytes:
    run_tool("debugfs", "-R", f"dump {name} {scratch}", volume)
    return scratch.read_bytes()
