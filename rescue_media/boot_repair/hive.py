r"""Windows' registry on a disk that is not running: which drivers it loads at its start.

The SYSTEM hive is edited through the library libhivex, called directly: its
Python binding exists for one Python at a time. A driver in
``ControlSetNNN\Services`` is loaded by the boot loader when its ``Start`` is 0
and nothing below ``StartOverride`` says otherwise; Windows sets 3 and an
override for the controllers that it was not installed on.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import struct
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backup_agent.errors import TargetError, UnsupportedError

STORAGE_DRIVERS = ("storahci", "stornvme", "vmbus", "storvsc", "viostor", "vioscsi")
"""SATA, NVMe, Hyper-V, and virtio where somebody installed its drivers."""

_DWORD = 4
_WRITE = 4
_BOOT_START = 0
# "regf", then two sequence numbers: Windows counts up the first before it writes, the second after.
_HEADER = struct.Struct("<4sII")


@dataclass(frozen=True, slots=True)
class DriverChange:
    """``start`` is what the registry says now; ``overridden``: ``StartOverride`` is in the way."""

    driver: str
    start: int
    overridden: bool


@dataclass(frozen=True, slots=True)
class DriverSurvey:
    """``control_set`` is the one in force; ``changes`` what has to become of it."""

    control_set: str
    changes: tuple[DriverChange, ...]


class _SetValue(ctypes.Structure):
    """``struct hive_set_value`` of hivex.h"""

    _fields_ = (
        ("key", ctypes.c_char_p),
        ("type", ctypes.c_int),
        ("size", ctypes.c_size_t),
        ("value", ctypes.c_char_p),
    )


class Hive:
    """An open hive; keys are named from the root down."""

    def __init__(self, library: ctypes.CDLL, handle: int) -> None:
        self._library = library
        self._handle = handle

    def find(self, *names: str) -> int | None:
        """The node of a key, if there is one."""
        node = self._library.hivex_root(self._handle)
        for name in names:
            node = self._library.hivex_node_get_child(self._handle, node, name.encode())
            if not node:
                return None
        return int(node)

    def number(self, node: int, name: str) -> int | None:
        """A DWORD below the node, if there is one of that name."""
        value = self._library.hivex_node_get_value(self._handle, node, name.encode())
        if not value:
            return None
        kind, size = ctypes.c_int(), ctypes.c_size_t()
        self._library.hivex_value_type(self._handle, value, ctypes.byref(kind), ctypes.byref(size))
        if kind.value != _DWORD:
            return None
        number = self._library.hivex_value_dword(self._handle, value)
        return int(number) & 0xFFFFFFFF

    def set_number(self, node: int, name: str, number: int) -> None:
        """Raises :class:`TargetError`."""
        value = _SetValue(name.encode(), _DWORD, 4, struct.pack("<I", number))
        self._check(self._library.hivex_node_set_value(self._handle, node, ctypes.byref(value), 0))

    def add_key(self, node: int, name: str) -> int:
        """Raises :class:`TargetError`."""
        made = self._library.hivex_node_add_child(self._handle, node, name.encode())
        self._check(0 if made else -1)
        return int(made)

    def delete_key(self, node: int) -> None:
        """With all below it. Raises :class:`TargetError`."""
        self._check(self._library.hivex_node_delete_child(self._handle, node))

    def write(self, target: Path) -> None:
        """Raises :class:`TargetError`."""
        self._check(self._library.hivex_commit(self._handle, os.fsencode(target), 0))

    def _check(self, answer: int) -> None:
        if answer != 0:
            raise TargetError(
                f"Windows' registry could not be changed: {os.strerror(ctypes.get_errno())}.",
                hint="Windows may start all the same; if not, repair it with its own media.",
            )


@contextmanager
def open_hive(file: Path, *, for_writing: bool = False) -> Iterator[Hive]:
    """Raises :class:`TargetError` for what is no whole hive, :class:`UnsupportedError`."""
    _require_whole(file)
    library = _library()
    handle = library.hivex_open(os.fsencode(file), _WRITE if for_writing else 0)
    if not handle:
        raise TargetError(f"{file.name} is no registry that can be read.")
    try:
        yield Hive(library, handle)
    finally:
        library.hivex_close(handle)


def survey_drivers(file: Path, present: Collection[str]) -> DriverSurvey:
    """What to change so that Windows starts from any of the usual controllers.

    ``present`` are the drivers whose files are there: one that were loaded at
    the start without its file would keep Windows from starting. Raises as
    :func:`open_hive`.
    """
    with open_hive(file) as hive:
        control_set = _control_set(hive)
        changes = []
        for driver in STORAGE_DRIVERS:
            node = hive.find(control_set, "Services", driver)
            if node is None or driver not in present:
                continue
            start = hive.number(node, "Start")
            overridden = hive.find(control_set, "Services", driver, "StartOverride") is not None
            if start is not None and (start != _BOOT_START or overridden):
                changes.append(DriverChange(driver, start, overridden))
    return DriverSurvey(control_set, tuple(changes))


def enable_drivers(file: Path, control_set: str, changes: Collection[DriverChange]) -> None:
    """The hive as it was is kept beside it. Raises as :func:`open_hive`, and ``OSError``."""
    changed = file.with_name(f"{file.name}.everboot-new")
    with open_hive(file, for_writing=True) as hive:
        for change in changes:
            node = hive.find(control_set, "Services", change.driver)
            if node is None:
                raise TargetError(f"{change.driver} is not in Windows' registry any more.")
            hive.set_number(node, "Start", _BOOT_START)
            override = hive.find(control_set, "Services", change.driver, "StartOverride")
            if override is not None:
                hive.delete_key(override)
        hive.write(changed)
    kept = file.with_name(f"{file.name}.before-restore")
    if not kept.exists():
        shutil.copyfile(file, kept)
    # Written over, not renamed over: the file keeps who may read and write it.
    with file.open("r+b") as target:
        target.write(changed.read_bytes())
        target.truncate()
        target.flush()
        os.fsync(target.fileno())
    changed.unlink()


def _require_whole(file: Path) -> None:
    with file.open("rb") as stream:
        header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size or not header.startswith(b"regf"):
        raise TargetError(f"{file.name} is no registry that can be read.")
    _, begun, ended = _HEADER.unpack(header)
    if begun != ended:
        # The rest is in its logs, which only Windows replays.
        raise TargetError(
            "Windows was writing its registry when it was backed up.",
            hint="Start it on the computer it comes from, or repair it with Windows' own media.",
        )


def _control_set(hive: Hive) -> str:
    node = hive.find("Select")
    number = hive.number(node, "Current") if node is not None else None
    if number is None:
        raise TargetError("Windows' registry does not say which of its settings are in force.")
    return f"ControlSet{number:03}"


def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libhivex.so.0", use_errno=True)
    except OSError as exc:
        raise UnsupportedError(
            "Windows' registry cannot be edited on this computer.",
            hint="Install Debian's package libhivex0.",
        ) from exc
    pointer, word, text = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
    for function, result, arguments in (
        (library.hivex_open, pointer, (text, ctypes.c_int)),
        (library.hivex_close, ctypes.c_int, (pointer,)),
        (library.hivex_root, word, (pointer,)),
        (library.hivex_node_get_child, word, (pointer, word, text)),
        (library.hivex_node_get_value, word, (pointer, word, text)),
        (
            library.hivex_value_type,
            ctypes.c_int,
            (pointer, word, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(word)),
        ),
        (library.hivex_value_dword, ctypes.c_int32, (pointer, word)),
        (
            library.hivex_node_set_value,
            ctypes.c_int,
            (pointer, word, ctypes.POINTER(_SetValue), ctypes.c_int),
        ),
        (library.hivex_node_add_child, word, (pointer, word, text)),
        (library.hivex_node_delete_child, ctypes.c_int, (pointer, word)),
        (library.hivex_commit, ctypes.c_int, (pointer, text, ctypes.c_int)),
    ):
        function.restype = result
        function.argtypes = arguments
    return library
