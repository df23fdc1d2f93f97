"""The small computer that the demo protects: one disk image, made without root.

::

    1 MiB     48 MiB    EFI system partition, FAT: a boot loader and its settings
    49 MiB    160 MiB   Linux, ext4: programs, logs, and a database of 4 KiB pages

The change between the two backups is one that a computer makes: a kernel is put
on the EFI partition, and the database writes some of its pages in place.
"""

from __future__ import annotations

import mmap
import random
import shutil
from pathlib import Path

from backup_agent.errors import UnsupportedError
from backup_agent.host.command import is_installed, run
from backup_agent.services.demo.made_up import prose, random_source

# program -> the Debian package that brings it; .dev/debian.py installs these
TOOLS = {
    "sfdisk": "fdisk",
    "mkfs.fat": "dosfstools",
    "mcopy": "mtools",
    "mke2fs": "e2fsprogs",
}

_MIB = 1 << 20
_DISK_SIZE = 212 * _MIB
_EFI_START, _EFI_SIZE = 1 * _MIB, 48 * _MIB
_LINUX_START, _LINUX_SIZE = 49 * _MIB, 160 * _MIB
_TABLE = f"""\
label: gpt
start={_EFI_START // _MIB}MiB, size={_EFI_SIZE // _MIB}MiB, type=U, name="EFI system"
start={_LINUX_START // _MIB}MiB, size={_LINUX_SIZE // _MIB}MiB, type=L, name="Linux"
"""
_TOOL_SECONDS = 60.0

_PAGE = 4096
_PAGES = 4096
_FIRST_CHANGED, _CHANGED = 1000, 256


def require_tools() -> None:
    """Raises ``UnsupportedError`` that names the Debian packages to install."""
    missing = [program for program in TOOLS if not is_installed(program)]
    if missing:
        packages = " ".join(sorted({TOOLS[program] for program in missing}))
        raise UnsupportedError(
            f"The demo makes a disk with {', '.join(missing)}, which this computer lacks.",
            hint=f"On Debian: apt-get install --no-install-recommends {packages}",
        )


def make_computer(image: Path, *, seed: int) -> int:
    """Divide the image, make both file systems with files in them; returns its size in bytes.

    Puts the files beside the image while it works. Raises ``HostError``.
    """
    source = random_source(seed)
    with open(image, "wb") as file:
        file.truncate(_DISK_SIZE)
    _run("sfdisk", "--quiet", "--no-tell-kernel", str(image), feed=_TABLE.encode())
    files = image.parent / "files"
    _write_efi(files / "efi", source)
    _make_fat(image, files / "efi")
    _write_linux(files / "linux", source)
    _make_ext4(image, files / "linux")
    shutil.rmtree(files)
    return _DISK_SIZE


def change_computer(image: Path, *, seed: int) -> int:
    """A new kernel and some pages of the database; returns how many bytes were written."""
    source = random_source(seed)
    kernel = image.parent / "vmlinuz-new"
    kernel.write_bytes(source.randbytes(_MIB))
    _run("mcopy", "-i", _at(image, _EFI_START), str(kernel), "::/EFI/everboot-demo/")
    kernel.unlink()
    return _MIB + _rewrite_pages(image, source)


def _write_efi(folder: Path, source: random.Random) -> None:
    for name in ("EFI/BOOT/BOOTX64.EFI", "EFI/everboot-demo/vmlinuz"):
        _write(folder / name, source.randbytes(3 * _MIB))
    _write(folder / "EFI/everboot-demo/grub.cfg", b"set timeout=3\nboot\n")


def _make_fat(image: Path, files: Path) -> None:
    kib = str(_EFI_SIZE >> 10)
    sector = str(_EFI_START // 512)
    _run("mkfs.fat", "-F", "32", "-n", "EFI", "--offset", sector, str(image), kib)
    _run("mcopy", "-s", "-i", _at(image, _EFI_START), str(files / "EFI"), "::/")


def _write_linux(folder: Path, source: random.Random) -> None:
    _write(folder / "etc/hostname", b"made-up-computer\n")
    for number in range(8):
        _write(folder / f"usr/bin/program-{number}", source.randbytes(3 * _MIB))
        _write(folder / f"var/log/log.{number}", prose(source, words=60_000).encode())
    database = b"".join(_page(number, source) for number in range(_PAGES))
    _write(folder / "var/lib/database", database)


def _make_ext4(image: Path, files: Path) -> None:
    kib = f"{_LINUX_SIZE >> 10}k"
    _run(
        *("mke2fs", "-q", "-F", "-t", "ext4", "-b", str(_PAGE), "-L", "linux"),
        *("-d", str(files), "-E", f"offset={_LINUX_START}", str(image), kib),
    )


def _rewrite_pages(image: Path, source: random.Random) -> int:
    """Find the pages where the file system put them, as blocks are never smaller, and renew them.

    The file system stays whole: only the content of one file changes.
    """
    with open(image, "r+b") as file, mmap.mmap(file.fileno(), 0) as disk:
        position = _LINUX_START
        for number in range(_FIRST_CHANGED, _FIRST_CHANGED + _CHANGED):
            position = _find_page(disk, _page_head(number), position)
            disk[position : position + _PAGE] = _page(number, source)
        disk.flush()
    return _CHANGED * _PAGE


def _find_page(disk: mmap.mmap, head: bytes, near: int) -> int:
    """Most pages lie in a row; a file may go on anywhere, though."""
    found = disk.find(head, near)
    if found < 0:
        found = disk.find(head, _LINUX_START)
    assert found >= 0, "the database was written to the disk"
    return found


def _page(number: int, source: random.Random) -> bytes:
    head = _page_head(number)
    return head + source.randbytes(_PAGE - len(head))


def _page_head(number: int) -> bytes:
    return b"everboot demo database, page %06d " % number


def _at(image: Path, start: int) -> str:
    """How mtools name a file system inside an image."""
    return f"{image}@@{start}"


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _run(*command: str, feed: bytes = b"") -> None:
    run(command, feed=feed, timeout_seconds=_TOOL_SECONDS)
