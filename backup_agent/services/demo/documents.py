"""The folder of documents that the demo protects: small, but with everything that is awkward."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from pathlib import Path

from backup_agent.services.demo.made_up import prose, random_source

_KIB = 1 << 10
_MIB = 1 << 20
_MINUTE_NS = 60 * 10**9
# 1999-12-31 23:59:59 and a nanosecond: a time that no rounding leaves as it is.
_OLD_TIME_NS = 946_684_799_000_000_001

LETTERS = "Letters"
PHOTOS = "Photos"
EDITED = f"{LETTERS}/letter 07.txt"
ADDED = f"{LETTERS}/Grüße aus Zürich.txt"
DELETED = f"{LETTERS}/letter 13.txt"


@dataclass(frozen=True, slots=True)
class DocumentsMade:
    """What lies in the folder now. ``bytes``: the sizes of all files, holes counted."""

    files: int
    bytes: int
    with_xattrs: bool


def make_documents(folder: Path, *, seed: int) -> DocumentsMade:
    """Text, photos (noise to any compressor), a sparse file, odd names, links, odd metadata."""
    source = random_source(seed)
    for name in (LETTERS, PHOTOS, "Work/Accounts", "Work/Empty folder"):
        (folder / name).mkdir(parents=True)
    for number in range(40):
        path = folder / LETTERS / f"letter {number:02}.txt"
        path.write_text(prose(source, words=3_000))
        _set_time(path, _OLD_TIME_NS + number * 1_001 * _MINUTE_NS)
    for number in range(12):
        (folder / PHOTOS / f"IMG_{number:04}.jpg").write_bytes(source.randbytes(_MIB + number))
    _write_sparse(folder / "Work" / "virtual machine.img", source)
    _write_odd_names(folder / "Work", source)
    _write_links(folder)
    with_xattrs = _write_odd_metadata(folder / "Work" / "Accounts")
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return DocumentsMade(len(files), sum(path.stat().st_size for path in files), with_xattrs)


def change_documents(folder: Path) -> None:
    """One file edited, one added, one deleted."""
    with open(folder / EDITED, "a") as file:
        file.write("\nP.S. I have to add something.\n")
    (folder / ADDED).write_text("Viele Grüße aus Zürich!\n")
    (folder / DELETED).unlink()


def _write_sparse(path: Path, source: random.Random) -> None:
    """64 MiB long, of which three quarters of a MiB are there."""
    with open(path, "wb") as file:
        for offset in (0, 20 * _MIB, 64 * _MIB - 256 * _KIB):
            file.seek(offset)
            file.write(source.randbytes(256 * _KIB))


def _write_odd_names(folder: Path, source: random.Random) -> None:
    names = (
        *("überfällig 請求書 🏔.txt".encode(), b" leading space", b"-rf", b"quo'te\"s $HOME `x`"),
        *(b"new\nline", b"back\\slash", b"*", b"caf\xe9 (latin-1)"),
    )
    for name in names:
        try:
            with open(os.path.join(os.fsencode(folder), name), "w") as file:
                file.write(prose(source, words=60))
        except OSError:
            # Some file systems take no bytes that are no UTF-8; the others are odd enough.
            continue


def _write_links(folder: Path) -> None:
    os.link(folder / PHOTOS / "IMG_0003.jpg", folder / "Work" / "the same photo.jpg")
    os.symlink(f"../{LETTERS}/letter 01.txt", folder / "Work" / "link to a letter")
    os.symlink("/nowhere/at all", folder / "Work" / "link to nowhere")
    os.mkfifo(folder / "Work" / "named pipe", 0o640)


def _write_odd_metadata(folder: Path) -> bool:
    """Modes, times and, where the file system has them, an extended attribute."""
    (folder / "empty").touch()
    ledger = folder / "ledger.sh"
    ledger.write_text("#!/bin/sh\nexit 0\n")
    ledger.chmod(0o750)
    sealed = folder / "read-only.txt"
    sealed.write_text("Not to be changed.\n")
    with_xattrs = _try_xattr(sealed)
    sealed.chmod(0o400)
    _set_time(sealed, _OLD_TIME_NS)
    folder.chmod(0o700)
    _set_time(folder, _OLD_TIME_NS)
    return with_xattrs


def _try_xattr(path: Path) -> bool:
    try:
        os.setxattr(path, "user.everboot.demo", b"kept, too \x00\xff")
    except OSError:
        return False
    return True


def _set_time(path: Path, ns: int) -> None:
    os.utime(path, ns=(ns, ns))
