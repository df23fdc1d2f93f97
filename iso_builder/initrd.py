"""The first file system: busybox, the modules between it and the medium, the layers' hashes.

The kernel takes a cpio archive in the "newc" format (its documentation,
``driver-api/early-userspace/buffer-format.rst``): for each file a header of
``070701`` and 13 fields of 8 hex digits, the name, the content, each padded to
four bytes, and ``TRAILER!!!`` at the end.
"""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from iso_builder.config import EPOCH, MEDIUM
from iso_builder.manifest import Manifest

_FOLDER = 0o040755
_FILE = 0o100755
_END = "TRAILER!!!"
_FOLDERS = ("bin", "dev", "modules", "proc", "run", "sys")


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    mode: int
    content: bytes = b""


def make_initrd(kit: Path, manifest: Manifest) -> bytes:
    """Gzipped; the same for the same kit and layers."""
    files = {
        "init": (MEDIUM / "initrd" / "init").read_bytes(),
        "bin/busybox": (kit / "busybox").read_bytes(),
        "layers": manifest.checksums().encode(),
        "build": f"{manifest.build_id}\n".encode(),
    }
    # Their numbers say the order to load them in.
    for module in sorted((kit / "modules").iterdir()):
        files[f"modules/{module.name.removesuffix('.xz')}"] = _module(module)
    return gzip.compress(newc_archive(files), mtime=0)


def newc_archive(files: dict[str, bytes]) -> bytes:
    """The files, all executable and owned by root, and the folders a first program needs."""
    entries = [_Entry(name, _FOLDER) for name in _FOLDERS]
    entries += [_Entry(name, _FILE, content) for name, content in files.items()]
    return b"".join(_encoded([*entries, _Entry(_END, 0)]))


def _encoded(entries: list[_Entry]) -> Iterator[bytes]:
    for number, entry in enumerate(entries, 1):
        name = entry.name.encode() + b"\0"
        # inode, mode, uid, gid, links, mtime, size, device (2), special device (2), name, checksum
        fields = (number, entry.mode, 0, 0, 1, EPOCH, len(entry.content), 0, 0, 0, 0, len(name), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        yield _padded(header + name)
        yield _padded(entry.content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _module(file: Path) -> bytes:
    """Debian compresses them, which busybox cannot undo."""
    data = file.read_bytes()
    return lzma.decompress(data) if file.suffix == ".xz" else data
