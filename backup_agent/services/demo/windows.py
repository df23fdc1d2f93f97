"""What lies on the made-up computer's Windows volume: programs, somebody's files, a database."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

from backup_agent.services.demo.made_up import prose

_MIB = 1 << 20

USER = "Users/Ada"
PICTURES = f"{USER}/Pictures"
LETTERS = f"{USER}/Documents/Letters"
EDITED = f"{LETTERS}/letter 03.txt"
ADDED = f"{PICTURES}/IMG_0024.jpg"
DATABASE = "ProgramData/Shop/orders.db"
PAGE_FILE = "pagefile.sys"

_PAGE = 4096
_PAGES = 4096
_FIRST_CHANGED, _CHANGED = 1000, 192


def write_windows(folder: Path, source: random.Random) -> None:
    """Everything but the page file, which no tool that copies folders would take."""
    for number in range(20):
        _write(folder / f"Windows/System32/program-{number:02}.exe", source.randbytes(2 * _MIB))
    for number in range(10):
        _write(folder / f"Windows/Logs/log-{number}.txt", prose(source, words=30_000).encode())
        _write(folder / LETTERS / f"letter {number:02}.txt", prose(source, words=3_000).encode())
    for number in range(24):
        _write(folder / PICTURES / f"IMG_{number:04}.jpg", source.randbytes(_MIB + number))
    _write(folder / USER / "Documents" / "Grüße 請求書 🏔.txt", prose(source, words=60).encode())
    _write(folder / USER / "Desktop" / "empty.txt", b"")
    os.link(folder / PICTURES / "IMG_0003.jpg", folder / USER / "Desktop" / "the same picture.jpg")
    _write(folder / DATABASE, source.randbytes(_PAGES * _PAGE))


def write_recovery(folder: Path, source: random.Random) -> None:
    """What Windows keeps to repair itself from."""
    _write(folder / "Recovery/WindowsRE/winre.wim", source.randbytes(16 * _MIB))
    _write(folder / "Recovery/WindowsRE/ReAgent.xml", b"<WindowsRE/>\r\n")


def write_boot_files(folder: Path, source: random.Random) -> None:
    """The EFI partition's."""
    loader = source.randbytes(2 * _MIB)
    for name in ("EFI/Boot/bootx64.efi", "EFI/Microsoft/Boot/bootmgfw.efi"):
        _write(folder / name, loader)
    _write(folder / "EFI/Microsoft/Boot/BCD", source.randbytes(28 << 10))


def changed_files(
    letter: bytes, database: bytes, source: random.Random
) -> Iterator[tuple[str, bytes, int]]:
    """(path, new content, bytes written) of each file that a day's work changes.

    A database writes single pages in place; everything else is a file written anew.
    """
    edited = letter + b"\nP.S. I have to add something.\n"
    yield EDITED, edited, len(edited)
    picture = source.randbytes(_MIB // 2)
    yield ADDED, picture, len(picture)
    start, size = _FIRST_CHANGED * _PAGE, _CHANGED * _PAGE
    yield DATABASE, database[:start] + source.randbytes(size) + database[start + size :], size


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
