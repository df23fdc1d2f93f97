"""The operating system's side of a tree target: every call that makes or changes a file.

Names are single components below the descriptor of an open folder, and no call
follows a symbolic link (see ``confined``). Functions raise ``OSError`` as it
comes; ``tree`` decides what it means. Only imported where POSIX is spoken.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from backup_agent.errors import TargetError
from backup_agent.model.node import Node, NodeKind
from backup_agent.targets.unfinished import make_unfinished

Made = TypeVar("Made")

_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_TEMPORARY_FOLDER_MODE = 0o700
_TEMPORARY_MODE = 0o600
"""What is half restored is for its owner's eyes only; the recorded mode comes last."""

_ENDS_THE_RUN = {
    errno.ENOSPC: "Free some space there, or restore to another place.",
    errno.EDQUOT: "The quota there is used up; restore to another place.",
    errno.EROFS: "It is read-only; restore to another place.",
    errno.EIO: "The disk failed to write. Check its cable and its health.",
}


def run_ending(exc: Exception, shown_path: str) -> TargetError | None:
    """The error to end the run with, where going on to the next item would be in vain."""
    if isinstance(exc, OSError) and (hint := _ENDS_THE_RUN.get(exc.errno or 0)):
        return TargetError(f"Cannot write {shown_path}: {exc.strerror}", hint=hint)
    return None


def reason(exc: Exception) -> str:
    """What went wrong with one item, for a person."""
    match exc:
        case OSError(errno=errno.ELOOP | errno.ENOTDIR):
            return "what stands where its folder should be is no folder"
        case OSError(errno=errno.ENOTEMPTY):
            return "a folder that is not empty stands in its place"
        case OSError(strerror=str(text)):
            return text
        case _:
            return str(exc)


def is_privileged() -> bool:
    """Whether this process may give files away."""
    return os.geteuid() == 0


def open_root(root: Path) -> int:
    """Open the folder a person named, made where missing; links on the way to it are theirs."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        return os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as exc:
        raise TargetError(
            f"Cannot restore into {root}: {exc.strerror}",
            hint="Name a folder (--target) that you may write to.",
        ) from exc


def open_folder(name: bytes, *, within: int) -> int:
    return os.open(name, _OPEN_FOLDER, dir_fd=within)


def close(descriptor: int) -> None:
    os.close(descriptor)


def device_of(descriptor: int) -> int:
    """The number of the file system it lies on."""
    return os.fstat(descriptor).st_dev


def duplicate(descriptor: int) -> int:
    return os.dup(descriptor)


def sync_file_system(descriptor: int) -> None:
    """Wait until all that was written to the file system of ``descriptor`` is on its disk.

    Raises ``OSError`` where something could not be written since the descriptor was opened
    (Linux 5.8 and newer). Python lacks syncfs(2), and sync(2) waits for every disk of the
    computer and reports nothing.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "syncfs"):
        os.sync()
    elif libc.syncfs(descriptor) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def make_folder(name: bytes, *, within: int) -> bool:
    """A folder that can be written to; one that stands there is kept with what it holds.

    Returns whether it is a new one.
    """
    try:
        os.mkdir(name, _TEMPORARY_FOLDER_MODE, dir_fd=within)
        return True
    except FileExistsError:
        standing = os.stat(name, dir_fd=within, follow_symlinks=False)
        _refuse_other_spelling(name, within=within)
        if stat.S_ISDIR(standing.st_mode):
            _make_accessible(name, standing, within=within)
            return False
        os.unlink(name, dir_fd=within)
        os.mkdir(name, _TEMPORARY_FOLDER_MODE, dir_fd=within)
        return True


def make_file(size: int, *, within: int) -> tuple[bytes, int]:
    """A new file that is one hole of ``size`` bytes, open for reading and writing.

    Its name is a temporary one: only a whole file may take the place of an older
    one, see :func:`put_in_place`.
    """
    temporary, descriptor = make_unfinished(within=within)
    try:
        os.ftruncate(descriptor, size)
    except (OSError, OverflowError):
        os.close(descriptor)
        os.unlink(temporary, dir_fd=within)
        raise
    return temporary, descriptor


def make_way(name: bytes, *, within: int) -> None:
    """Refuse a name that no file can take, before its content is written for nothing.

    An empty folder goes; a file stays until another one is put in its place.
    """
    try:
        standing = os.stat(name, dir_fd=within, follow_symlinks=False)
    except FileNotFoundError:
        return
    _refuse_other_spelling(name, within=within)
    if stat.S_ISDIR(standing.st_mode):
        os.rmdir(name, dir_fd=within)


def put_in_place(temporary: bytes, name: bytes, *, within: int) -> None:
    """Give a file its own name, in one step: the old file or the new one, never neither."""
    make_way(name, within=within)
    os.rename(temporary, name, src_dir_fd=within, dst_dir_fd=within)


def remove_file(name: bytes, *, within: int) -> None:
    os.unlink(name, dir_fd=within)


def write_at(descriptor: int, offset: int, data: bytes | memoryview) -> None:
    rest = memoryview(data)
    while rest:
        written = os.pwrite(descriptor, rest, offset)
        offset += written
        rest = rest[written:]


def read_at(descriptor: int, offset: int, length: int) -> bytes:
    """Up to ``length`` bytes; fewer only at the file's end."""
    pieces: list[bytes] = []
    while length > 0 and (piece := os.pread(descriptor, length, offset)):
        pieces.append(piece)
        offset += len(piece)
        length -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def make_link(name: bytes, existing: bytes, *, within: int, existing_within: int) -> None:
    """A second name for an existing file; for a symlink itself, never for what it leads to."""
    link = partial(
        os.link,
        existing,
        name,
        src_dir_fd=existing_within,
        dst_dir_fd=within,
        follow_symlinks=False,
    )
    _replacing(name, link, within=within)


def make_other(name: bytes, node: Node, *, within: int) -> None:
    """A symbolic link, device or fifo, still without its metadata."""
    make: Callable[[], None]
    match node.kind:
        case NodeKind.SYMLINK:
            make = partial(os.symlink, node.link_target, name, dir_fd=within)
        case NodeKind.FIFO:
            make = partial(os.mkfifo, name, _TEMPORARY_MODE, dir_fd=within)
        case NodeKind.BLOCK_DEVICE:
            mode = stat.S_IFBLK | _TEMPORARY_MODE
            make = partial(os.mknod, name, mode, node.device, dir_fd=within)
        case NodeKind.CHARACTER_DEVICE:
            mode = stat.S_IFCHR | _TEMPORARY_MODE
            make = partial(os.mknod, name, mode, node.device, dir_fd=within)
        case _:
            raise OSError(errno.EINVAL, f"a {node.kind} cannot be made")
    _replacing(name, make, within=within)


def _replacing(name: bytes, make: Callable[[], Made], *, within: int) -> Made:
    """Make something that must be new; what stands there under that name is removed first.

    A folder goes only when it is empty (``ENOTEMPTY`` otherwise). Files are never
    written over: other hard links of the old one, its open readers, its extra
    attributes and its owner have no part in the new one.
    """
    try:
        return make()
    except FileExistsError:
        standing = os.stat(name, dir_fd=within, follow_symlinks=False)
        _refuse_other_spelling(name, within=within)
        if stat.S_ISDIR(standing.st_mode):
            os.rmdir(name, dir_fd=within)
        else:
            os.unlink(name, dir_fd=within)
        return make()


def _refuse_other_spelling(name: bytes, *, within: int) -> None:
    """Keep ``README`` from replacing ``readme`` where the file system takes them for one.

    Raises ``FileExistsError``. The listing shows under which name it stands;
    it is only asked for where a third spelling is found to stand there too.
    """
    other = name.decode("utf-8", "surrogateescape").swapcase().encode("utf-8", "surrogateescape")
    if other == name:
        return
    try:
        os.stat(other, dir_fd=within, follow_symlinks=False)
    except OSError:
        return
    if os.fsdecode(name) not in os.listdir(within):
        raise FileExistsError(
            errno.EEXIST, "its name and that of another item are the same to this file system"
        )


@contextmanager
def handle_on(name: bytes, *, within: int) -> Iterator[str]:
    """A path to the very thing that stands there, be it a symlink, good inside the ``with``.

    The thing is not opened for that: devices act on being opened.
    """
    handle = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=within)
    try:
        yield f"/proc/self/fd/{handle}"
    finally:
        os.close(handle)


def _make_accessible(name: bytes, standing: os.stat_result, *, within: int) -> None:
    if standing.st_mode & _TEMPORARY_FOLDER_MODE == _TEMPORARY_FOLDER_MODE or is_privileged():
        return
    # Where it is not ours to change, making the first entry in it will say so.
    with suppress(PermissionError), handle_on(name, within=within) as handle:
        os.chmod(handle, stat.S_IMODE(standing.st_mode) | _TEMPORARY_FOLDER_MODE)
