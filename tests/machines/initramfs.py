"""The first file system of a machine: a static shell, some modules, and a script.

The kernel takes a cpio archive in the "newc" format (its documentation,
``driver-api/early-userspace/buffer-format.rst``): for each file a header of
``070701`` and 13 fields of 8 hex digits, the name, the content, each padded to
four bytes, and ``TRAILER!!!`` at the end.
"""

from __future__ import annotations

import lzma
from collections.abc import Mapping, Sequence
from pathlib import Path

_FOLDER = 0o040755
_FILE = 0o100755
_END = "TRAILER!!!"


def make_initramfs(target: Path, *, script: str, shell: Path, modules: Sequence[Path]) -> None:
    """Write an archive whose ``/init`` is the script, run by a statically linked busybox.

    The script finds the modules as ``/modules/00-NAME.ko``, in the order to load them.
    """
    files = {"bin/busybox": shell.read_bytes(), "init": script.encode()}
    for number, module in enumerate(modules):
        files[f"modules/{number:02}-{module.name.removesuffix('.xz')}"] = _module(module)
    target.write_bytes(newc_archive(files, folders=("bin", "dev", "modules", "proc")))


def newc_archive(files: Mapping[str, bytes], *, folders: Sequence[str] = ()) -> bytes:
    """A cpio archive of the folders and files, all executable and owned by root."""
    entries = [_entry(number, name, _FOLDER, b"") for number, name in enumerate(folders, 1)]
    first = len(entries) + 1
    entries += [_entry(number, *item) for number, item in _numbered(files, first)]
    return b"".join([*entries, _entry(0, _END, 0, b"")])


def _numbered(files: Mapping[str, bytes], first: int) -> list[tuple[int, tuple[str, int, bytes]]]:
    return [(first + at, (name, _FILE, data)) for at, (name, data) in enumerate(files.items())]


def _entry(number: int, name: str, mode: int, content: bytes) -> bytes:
    size, name_size = len(content), len(name) + 1
    # inode, mode, uid, gid, links, mtime, size, device (2), special device (2), name, checksum
    fields = (number, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name_size, 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(header + name.encode() + b"\0") + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _module(file: Path) -> bytes:
    """Newer releases compress their modules, which the first shell cannot undo."""
    data = file.read_bytes()
    return lzma.decompress(data) if file.suffix == ".xz" else data
