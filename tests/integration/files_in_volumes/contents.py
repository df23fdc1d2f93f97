"""What the volumes are filled with, and how a thing in them is found."""

from __future__ import annotations

import os
import random
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.bindings import _rust

from backup_agent.filesystems.files.file_tree import FileTree, Reference, TreeItem
from backup_agent.model.node import NodeKind
from tests.helpers.disk_images import MIB
from tests.helpers.foreign_volumes import (
    Known,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
CODE = Path(_rust.__file__).read_bytes()[2 << 20 :][:900_000]
NOISE = random.Random(1).randbytes(3 * MIB + 77)
# Names that every file system here can hold.
NAMES = [
    "a" * 255,
    "e\u0301tude",
    unicodedata.normalize("NFC", "e\u0301tude"),
    "\u4e00" * 80,
    "\U0001f600" * 60,
    "CON",
    "nul.txt",
    "-rf",
    "100% sure; $(reboot)",
]
NTFS_NAMES = [
    *NAMES,
    "\u4e00" * 255,
    "\U0001f600" * 127,
    "dots...",
    "space ",
    "Case",
    "case",
    "CASE",
    "back\\slash",
    'q?*<>|"',
    "\x01\x1f",
]
LONE_SURROGATE = b"lone \xed\xa0\x80 surrogate"


def fill(folder: Path, names: list[str]) -> None:
    """Files of many sizes, and folders within folders."""
    for number, name in enumerate(names):
        (folder / name).write_bytes(NOISE[: 37 * number * number])
    deep = folder
    for number in range(20):
        deep = deep / f"folder {number} with a name of some length"
        deep.mkdir()
    (deep / "noise").write_bytes(NOISE)
    (folder / "many").mkdir()
    for number in range(3000):
        (folder / "many" / f"entry number {number} of many").write_bytes(b"%d" % number)


def fragment(folder: Path) -> None:
    """Fill the volume with small files, delete every other one, and fill the gaps with one file."""
    others: list[Path] = []
    with suppress(OSError):
        while True:
            others.append(folder / f"{len(others)}")
            others[-1].write_bytes(NOISE[:4096])
    for other in others[::2]:
        other.unlink()
    with suppress(OSError), open(folder / "fragmented", "wb", buffering=0) as file:
        file.writelines(NOISE[start : start + 4096] for start in range(0, len(NOISE), 4096))


def found(tree: FileTree, name: bytes) -> TreeItem:
    return next(item for item in tree.list_folder(tree.root) if item.node.name == name)


def without_folder_times(known: dict[bytes, Known]) -> dict[bytes, object]:
    return {
        path: known.kind if known.kind is NodeKind.FOLDER else known
        for path, known in known.items()
    }


def folders_of(tree: FileTree) -> Iterator[tuple[Reference, Sequence[TreeItem]]]:
    waiting = [tree.root]
    while waiting:
        folder = waiting.pop()
        items = tree.list_folder(folder)
        yield folder, items
        waiting += [item.reference for item in items if item.node.kind is NodeKind.FOLDER]
