"""Which file system stands at a place, with its label and serial. Superblocks only."""

from __future__ import annotations

import uuid

from backup_agent.filesystems.ext import recognise_ext
from backup_agent.filesystems.fat import recognise_exfat, recognise_fat
from backup_agent.filesystems.ntfs import recognise_ntfs
from backup_agent.filesystems.reading import SeekableReader, read_at
from backup_agent.model.disk import FileSystem, FileSystemKind

# The signature ends Linux's swap header, which is one page of whoever made it.
_PAGE_SIZES = (4096, 8192, 16384, 65536)


def recognise(reader: SeekableReader, start: int) -> FileSystem:
    """The file system whose volume starts at that byte; of kind UNKNOWN if none is recognised.

    Hostile bytes give a wrong answer at worst. What cannot be read is unknown,
    too: a bad sector must not stand in the way of saving all the others.
    """
    try:
        found = _first_match(reader, start)
    except OSError:
        found = None
    return found or FileSystem(FileSystemKind.UNKNOWN)


def _first_match(reader: SeekableReader, start: int) -> FileSystem | None:
    for attempt in (
        _recognise_luks,
        _recognise_bitlocker,
        recognise_ntfs,
        recognise_exfat,
        _recognise_swap,
        # FAT's signs are the weakest, and an ext volume may carry an old FAT boot sector.
        recognise_ext,
        recognise_fat,
    ):
        if found := attempt(reader, start):
            return found
    return None


def _recognise_luks(reader: SeekableReader, start: int) -> FileSystem | None:
    """LUKS 1 and 2: magic, u16 version (big endian), label (2 only) at 24, UUID as text at 168."""
    header = read_at(reader, start, 208)
    if len(header) < 208 or not header.startswith(b"LUKS\xba\xbe"):
        return None
    version = int.from_bytes(header[6:8], "big")
    label = _text(header[24:72]) if version == 2 else ""
    return FileSystem(FileSystemKind.LUKS, label, _text(header[168:208]))


def _recognise_bitlocker(reader: SeekableReader, start: int) -> FileSystem | None:
    """A boot sector with its own name in NTFS's place; inside, all is encrypted."""
    if read_at(reader, start, 11)[3:] != b"-FVE-FS-":
        return None
    return FileSystem(FileSystemKind.BITLOCKER)


def _recognise_swap(reader: SeekableReader, start: int) -> FileSystem | None:
    """Linux swap: UUID at 1036, label at 1052, signature in the page's last ten bytes."""
    for size in _PAGE_SIZES:
        if read_at(reader, start + size - 10, 10) in (b"SWAPSPACE2", b"SWAP-SPACE"):
            header = read_at(reader, start + 1036, 32)
            label, serial = _text(header[16:]), str(uuid.UUID(bytes=header[:16]))
            return FileSystem(FileSystemKind.SWAP, label, serial, size)
    return None


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("utf-8", errors="replace")
