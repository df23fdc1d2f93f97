"""Whether what came back is what was there: looked at file by file, hashed, compared.

A picture of a folder is taken before the backup and compared with one of what
was restored. It holds everything a restore promises to bring back, so two
pictures are equal only if the folders are.
"""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeAlias

from backup_agent.errors import IntegrityError

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Likeness:
    """One item as it was met. ``sha256`` of files, ``same_as`` the first name of the same
    file (hard links), ``mode`` with the kind of item in it.
    """

    mode: int
    owner: tuple[int, int]
    mtime_ns: int
    size: int
    sha256: str
    link_target: bytes
    same_as: bytes
    xattrs: tuple[tuple[str, bytes], ...]


Picture: TypeAlias = Mapping[bytes, Likeness]
"""Every item of a folder by its path in it; the folder itself is ``b"."``."""


def take_picture(folder: Path) -> Picture:
    """Look at everything in a folder. Raises ``OSError`` for what cannot be read."""
    root = os.fsencode(folder)
    first_names: dict[tuple[int, int], bytes] = {}
    picture: dict[bytes, Likeness] = {}
    for path in _walk(root):
        name = os.path.relpath(path, root)
        found = os.lstat(path)
        first = first_names.setdefault((found.st_dev, found.st_ino), name)
        picture[name] = _likeness(path, found, first)
    return picture


def require_same(truth: Picture, met: Picture, *, what: str = "Restored files") -> None:
    """Raises ``IntegrityError`` that names what is missing, new or different."""
    wrong = [*_differences(truth, met)]
    if wrong:
        shown = "; ".join(wrong[:_SHOWN])
        more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise failed(f"{what} differ from what was backed up: {shown}{more}.")


def hashes_below(picture: Picture, folder: str) -> dict[str, str]:
    """Path in the folder -> SHA-256, for every file in one folder of a picture."""
    start = folder.encode() + b"/"
    return {
        os.fsdecode(path.removeprefix(start)): likeness.sha256
        for path, likeness in picture.items()
        if path.startswith(start) and likeness.sha256
    }


def require_same_files(wanted: Mapping[str, str], found: Mapping[str, str], where: Path) -> None:
    """Both name -> SHA-256. Raises ``IntegrityError`` that names what differs."""
    wrong = sorted(
        name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name)
    )
    if wrong:
        raise failed(f"{where} does not hold what it should: {', '.join(wrong[:_SHOWN])}.")


def require_zip(file: Path, wanted: Mapping[str, str]) -> None:
    """Raises ``IntegrityError`` unless the zip holds just these files: name -> SHA-256."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            found = {
                info.filename: hashlib.sha256(archive.read(info)).hexdigest() for info in members
            }
    except zipfile.BadZipFile as exc:
        raise failed(f"{file} is no whole zip: {exc}.") from exc
    if len(members) != len(found):
        raise failed(f"{file} holds a name twice.")
    require_same_files(wanted, found, file)


def sha256_of(file: Path) -> str:
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _walk(root: bytes) -> Iterable[bytes]:
    yield root
    for folder, folders, files in os.walk(root, onerror=_raise):
        # In a fixed order: the first name of a file with several must be the same each time.
        folders.sort()
        for name in sorted([*folders, *files]):
            yield os.path.join(folder, name)


def _raise(error: OSError) -> None:
    raise error


def _likeness(path: bytes, found: os.stat_result, first: bytes) -> Likeness:
    is_file = stat.S_ISREG(found.st_mode)
    is_link = stat.S_ISLNK(found.st_mode)
    return Likeness(
        mode=found.st_mode,
        owner=(found.st_uid, found.st_gid),
        mtime_ns=found.st_mtime_ns,
        size=found.st_size if is_file else 0,
        sha256=sha256_of(Path(os.fsdecode(path))) if is_file else "",
        link_target=os.readlink(path) if is_link else b"",
        same_as=first,
        xattrs=_xattrs(path),
    )


def _xattrs(path: bytes) -> tuple[tuple[str, bytes], ...]:
    """The user's own attributes; a file system without any has none."""
    try:
        names = [n for n in os.listxattr(path, follow_symlinks=False) if n.startswith("user.")]
    except OSError:
        return ()
    return tuple((n, os.getxattr(path, n, follow_symlinks=False)) for n in sorted(names))


def _differences(truth: Picture, met: Picture) -> Iterable[str]:
    for name in sorted(truth.keys() | met.keys()):
        shown = name.decode("utf-8", "backslashreplace")
        was, now = truth.get(name), met.get(name)
        if was is None:
            yield f"{shown} was not there"
        elif now is None:
            yield f"{shown} is missing"
        elif was != now:
            unlike = [f.name for f in fields(was) if getattr(was, f.name) != getattr(now, f.name)]
            yield f"{shown} has another {', '.join(unlike)}"


def failed(message: str) -> IntegrityError:
    """The error of a proof that does not hold."""
    return IntegrityError(
        message, hint="This must not happen: please report it, and keep the folder of the demo."
    )
