"""A SYSTEM hive of Windows, made up: empty by the bytes of its format, then filled by hivex.

The format is Windows' "regf" 1.3: a base block of 4 KiB, then bins of cells. An
empty hive has one bin with the root key ("nk") and its security ("sk").
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import reduce
from operator import xor
from pathlib import Path

from rescue_media.boot_repair.hive import Hive, open_hive

_BLOCK = 4096
_NONE = 0xFFFFFFFF
# An empty self-relative security descriptor, revision 1.
_DESCRIPTOR = struct.pack("<BBHIIII", 1, 0, 0x8000, 0, 0, 0, 0)


def make_system_hive(
    file: Path, drivers: Mapping[str, int], *, overridden: tuple[str, ...] = ()
) -> Path:
    """``drivers`` are names and their ``Start``; those overridden have a ``StartOverride``."""
    file.write_bytes(_empty_hive())
    with open_hive(file, for_writing=True) as hive:
        root = hive.find()
        assert root is not None
        hive.set_number(hive.add_key(root, "Select"), "Current", 1)
        services = hive.add_key(hive.add_key(root, "ControlSet001"), "Services")
        for name, start in drivers.items():
            node = hive.add_key(services, name)
            hive.set_number(node, "Start", start)
            hive.set_number(node, "Type", 1)
            if name in overridden:
                hive.set_number(hive.add_key(node, "StartOverride"), "0", 3)
        hive.write(file)
    return file


def driver_start(file: Path, name: str) -> tuple[int | None, bool]:
    """A driver's ``Start``, and whether something overrides it."""
    with open_hive(file) as hive:
        return _start(hive, name)


def leave_being_written(file: Path) -> None:
    """As if Windows had been cut off: its first sequence number is ahead of the second."""
    with file.open("r+b") as stream:
        stream.seek(4)
        stream.write(struct.pack("<I", 7))


def _start(hive: Hive, name: str) -> tuple[int | None, bool]:
    node = hive.find("ControlSet001", "Services", name)
    assert node is not None
    override = hive.find("ControlSet001", "Services", name, "StartOverride")
    return hive.number(node, "Start"), override is not None


def _empty_hive() -> bytes:
    name = b"ROOT"
    key_size, security_at = 88, 32 + 88
    key = struct.pack(
        "<i2sHQIIIIIIIIIIIIIIIHH4s",
        *(-key_size, b"nk", 0x2C, 0, 0, 0, 0, 0, _NONE, _NONE, 0, _NONE, security_at, _NONE),
        *(0, 0, 0, 0, 0, len(name), 0, name),
    )
    security = struct.pack(
        "<i2sHIIII", -48, b"sk", 0, security_at, security_at, 1, len(_DESCRIPTOR)
    )
    cells = key.ljust(key_size, b"\0") + (security + _DESCRIPTOR).ljust(48, b"\0")
    free = _BLOCK - 32 - len(cells)
    cells += struct.pack("<i", free).ljust(free, b"\0")
    bin_header = struct.pack("<4sIIQQI", b"hbin", 0, _BLOCK, 0, 0, 0)
    return _base_block() + bin_header + cells


def _base_block() -> bytes:
    head = struct.pack("<4sIIQIIIIIII", b"regf", 1, 1, 0, 1, 3, 0, 1, 32, _BLOCK, 1)
    head = head.ljust(508, b"\0")
    checksum = reduce(xor, struct.unpack("<127I", head))
    return (head + struct.pack("<I", checksum)).ljust(_BLOCK, b"\0")
