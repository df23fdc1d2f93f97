"""Volumes that other programs made and filled, and what those programs say is in them."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import stat
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from backup_agent.errors import UnreadableError
from backup_agent.filesystems.files.file_tree import FileTree, Reference
from backup_agent.filesystems.files.open_tree import open_tree
from backup_agent.filesystems.files.volume_bytes import VolumeBytes
from backup_agent.model.disk import Extent, FileSystemKind
from backup_agent.model.node import Node, NodeKind
from tests.helpers.disk_images import run_tool

XPRESS_4K, LZX, XPRESS_8K, XPRESS_16K = range(4)
_WOF_CHUNKS = {XPRESS_4K: 4096, LZX: 32768, XPRESS_8K: 8192, XPRESS_16K: 16384}
_WIMLIB_XPRESS, _WIMLIB_LZX = 1, 2


@dataclass(frozen=True, slots=True)
class Known:
    """``sha256`` of a file's content, a link's target, or nothing."""

    kind: NodeKind
    size: int
    content: str
    mtime_seconds: int


def make_empty(path: Path, size: int, *command: str) -> Path:
    """An image of that size with a file system in it."""
    with open(path, "wb") as file:
        file.truncate(size)
    run_tool(*command, path)
    return path


@contextmanager
def mounted_ntfs(volume: Path, place: Path) -> Iterator[Path]:
    """By ntfs-3g; with a colon in a name meaning a stream, and compression where asked for."""
    options = "no_detach,streams_interface=windows,compression"
    with _mounted(place, ["ntfs-3g", "-o", options, str(volume), str(place)]) as folder:
        yield folder


@contextmanager
def mounted_exfat(volume: Path, place: Path) -> Iterator[Path]:
    """By exfat-fuse, which wants a block device."""
    device = run_tool("losetup", "--find", "--show", volume).strip()
    try:
        # In the foreground, so that its end is the moment when everything has been written.
        with _mounted(place, ["mount.exfat-fuse", "-d", device, str(place)]) as folder:
            yield folder
    finally:
        run_tool("losetup", "--detach", device)


@contextmanager
def _mounted(place: Path, command: list[str]) -> Iterator[Path]:
    if not Path("/dev/fuse").exists() or not shutil.which(command[0], path=_path()):
        pytest.skip(f"needs FUSE and {command[0]}")
    place.mkdir(exist_ok=True)
    driver = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PATH": _path()},
    )
    try:
        while not place.is_mount():
            assert driver.poll() is None, f"{command} did not mount the volume"
        yield place
    finally:
        subprocess.run(["umount", place], check=driver.poll() is None)
        driver.wait()


def _path() -> str:
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def open_files(
    volume: Path | bytes,
    kind: FileSystemKind,
    *,
    unreadable: tuple[Extent, ...] = (),
    left_out: tuple[str, ...] = (),
) -> FileTree:
    """The volume's files, read in this process."""
    data = volume if isinstance(volume, bytes) else volume.read_bytes()
    volume_bytes = VolumeBytes(
        len(data), lambda offset, size: data[offset : offset + size], unreadable=unreadable
    )
    return open_tree(volume_bytes, kind, left_out=left_out)


def harvest(tree: FileTree) -> dict[bytes, Known]:
    """Every path in the tree, streams as ``name:stream``, all content read.

    Raises what reading raises.
    """
    found: dict[bytes, Known] = {}
    waiting = [(b"", tree.root)]
    while waiting:
        folder, reference = waiting.pop()
        for item in tree.list_folder(reference):
            path = folder + b"/" + item.node.name
            assert path not in found
            if item.problem:
                raise UnreadableError(f"{path!r}: {item.problem}")
            data = b""
            if item.node.kind is NodeKind.FILE:
                data = read_whole(tree, item.reference, item.node.size)
            found[path] = _known(item.node, data)
            for stream in item.streams:
                data = read_whole(tree, item.reference, stream.size, stream=stream.name)
                found[path + b":" + stream.name] = Known(
                    NodeKind.FILE, stream.size, hashlib.sha256(data).hexdigest(), 0
                )
            if item.node.kind is NodeKind.FOLDER:
                waiting.append((path, item.reference))
    return found


def read_whole(tree: FileTree, reference: int, size: int, *, stream: bytes | None = None) -> bytes:
    """A file in pieces whose size divides nothing; more than all of it is asked for."""
    data = b"".join(
        tree.read_at(Reference(reference), offset, 1_000_003, stream=stream)
        for offset in range(0, size + 1, 1_000_003)
    )
    assert len(data) == size
    return data


def survey(folder: Path) -> dict[bytes, Known]:
    """What the system's own driver says is in a mounted volume."""
    found: dict[bytes, Known] = {}
    root = os.fsencode(folder)
    for parent, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(parent, name)
            status = os.lstat(path)
            content = b""
            if stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:
                    content = file.read()
            elif stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            kind = (
                NodeKind.FOLDER
                if stat.S_ISDIR(status.st_mode)
                else NodeKind.SYMLINK
                if stat.S_ISLNK(status.st_mode)
                else NodeKind.FIFO
                if stat.S_ISFIFO(status.st_mode)
                else NodeKind.FILE
            )
            digest = hashlib.sha256(content).hexdigest() if kind is NodeKind.FILE else ""
            if kind is NodeKind.SYMLINK:
                digest = content.decode("utf-8", "surrogateescape")
            size = status.st_size if kind is NodeKind.FILE else 0
            found[path.removeprefix(root)] = Known(
                kind, size, digest, status.st_mtime_ns // 1_000_000_000
            )
    return found


def _known(node: Node, data: bytes) -> Known:
    content = hashlib.sha256(data).hexdigest() if node.kind is NodeKind.FILE else ""
    if node.kind is NodeKind.SYMLINK:
        content = node.link_target.decode("utf-8", "surrogateescape")
    return Known(node.kind, node.size, content, node.mtime_ns // 1_000_000_000)


def write_wof(path: Path, content: bytes, algorithm: int) -> None:
    """A file as ``compact /exe`` leaves it, on a volume mounted by ntfs-3g."""
    path.write_bytes(b"")
    os.truncate(path, len(content))
    set_attributes(path, 0x220)
    Path(f"{path}:WofCompressedData").write_bytes(compress_for_wof(content, algorithm))
    set_reparse_point(path, 0x80000017, struct.pack("<IIII", 1, 2, 1, algorithm))


def set_attributes(path: Path, flags: int) -> None:
    os.setxattr(path, "system.ntfs_attrib", struct.pack("<I", flags))


def set_reparse_point(path: Path, tag: int, data: bytes) -> None:
    os.setxattr(path, "system.ntfs_reparse_data", struct.pack("<IHH", tag, len(data), 0) + data)


def compress_for_wof(content: bytes, algorithm: int) -> bytes:
    """The stream ``WofCompressedData``, each chunk compressed by wimlib."""
    chunks = []
    for start in range(0, len(content), _WOF_CHUNKS[algorithm]):
        chunk = content[start : start + _WOF_CHUNKS[algorithm]]
        chunks.append(wimlib_compress(chunk, algorithm) or chunk)
    starts = []
    place = 0
    for chunk in chunks[:-1]:
        place += len(chunk)
        starts.append(place)
    return struct.pack(f"<{len(starts)}I", *starts) + b"".join(chunks)


def wimlib_compress(chunk: bytes, algorithm: int) -> bytes:
    """One chunk; empty if that does not make it smaller."""
    try:
        library = ctypes.CDLL("libwim.so.15")
    except OSError:
        pytest.skip("needs wimlib (Debian package libwim15)")
    library.wimlib_compress.restype = ctypes.c_size_t
    library.wimlib_compress.argtypes = [
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_void_p,
    ]
    compressor = ctypes.c_void_p()
    kind = _WIMLIB_LZX if algorithm == LZX else _WIMLIB_XPRESS
    made = library.wimlib_create_compressor(
        kind, ctypes.c_size_t(_WOF_CHUNKS[algorithm]), 0, ctypes.byref(compressor)
    )
    assert made == 0
    try:
        room = ctypes.create_string_buffer(len(chunk))
        size = library.wimlib_compress(chunk, len(chunk), room, len(chunk) - 1, compressor)
        return room.raw[:size]
    finally:
        library.wimlib_free_compressor(compressor)
