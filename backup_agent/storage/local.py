"""A repository in a folder: atomic by rename, durable by fsync."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex

from backup_agent.errors import (
    AccessDeniedError,
    ObjectNotFoundError,
    StorageError,
    StorageFullError,
)
from backup_agent.storage.backend import (
    REMAINS_AGE_SECONDS,
    TEMPORARY,
    Data,
    FileKind,
    ObjectInfo,
    ObjectKey,
    is_object_name,
    is_temporary_name,
)
from backup_agent.storage.failures import short_body

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}


class LocalBackend:
    """Objects as files below ``root``, in restic's default layout."""

    def __init__(self, root: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._root = root
        self._clock = clock

    @property
    def location(self) -> str:
        return str(self._root)

    @property
    def listing_may_lag(self) -> bool:
        return False

    def prepare(self) -> None:
        with self._errors("create"):
            for kind in FileKind:
                if kind is not FileKind.CONFIG:
                    (self._root / kind.value).mkdir(parents=True, exist_ok=True)

    def save(self, key: ObjectKey, data: Data) -> None:
        final = self._root / key.path
        # The temporary name is no object name, so a crash leaves nothing that a listing shows.
        temporary = final.with_name(f"{final.name}{TEMPORARY}{token_hex(8)}")
        with self._errors(key.path):
            try:
                file = self._create(temporary, key)
                try:
                    _write_all(file, data)
                    os.fsync(file)
                finally:
                    os.close(file)
                with contextlib.suppress(OSError):
                    # Repository files are never changed; read-only says so to other programs.
                    # Network shares and FAT may refuse it.
                    temporary.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
                os.replace(temporary, final)
            except BaseException:
                with contextlib.suppress(OSError):
                    temporary.unlink()
                raise
            _sync_folder(final.parent)

    def load(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
        with self._errors(key.path), open(self._root / key.path, "rb", buffering=0) as file:
            wanted = os.fstat(file.fileno()).st_size - offset if length is None else length
            data = _read_range(file.fileno(), offset, wanted)
        if length is not None and len(data) < length:
            raise short_body(f"{key.path} in {self._root}", wanted=length, got=len(data))
        return data

    def size(self, key: ObjectKey) -> int:
        with self._errors(key.path):
            return (self._root / key.path).stat().st_size

    def list(self, kind: FileKind) -> Iterator[ObjectInfo]:
        if kind is FileKind.CONFIG:
            return
        folder = self._root / kind.value
        with self._errors(kind.value):
            # restic creates a pack's folder with the first pack in it.
            folders = [folder]
            if kind is FileKind.PACK:
                folders = [Path(e.path) for e in os.scandir(folder) if e.is_dir()]
            for inner in folders:
                for entry in os.scandir(inner):
                    if is_object_name(entry.name):
                        # Another process may remove an object while we list.
                        with contextlib.suppress(FileNotFoundError):
                            if entry.is_file():
                                yield ObjectInfo(entry.name, entry.stat().st_size)

    def remove(self, key: ObjectKey) -> None:
        path = self._root / key.path
        with self._errors(key.path), contextlib.suppress(FileNotFoundError):
            _unlink(path)

    def sweep(self) -> int:
        oldest_allowed = self._clock() - REMAINS_AGE_SECONDS
        swept = 0
        with self._errors("what broken-off saves left"):
            for entry in self._remains():
                # Another program's save may be under way, whatever it thinks of locks.
                if entry.stat(follow_symlinks=False).st_mtime < oldest_allowed:
                    _unlink(Path(entry.path))
                    swept += 1
        return swept

    def close(self) -> None:
        pass

    def _remains(self) -> Iterator[os.DirEntry[str]]:
        """Files with the temporary names that restic and we save under."""
        folders = [self._root, *(self._root / kind.value for kind in FileKind)]
        folders += (self._root / FileKind.PACK.value).glob("[0-9a-f][0-9a-f]")
        for folder in folders:
            if folder.is_dir():
                for entry in os.scandir(folder):
                    if is_temporary_name(entry.name) and entry.is_file(follow_symlinks=False):
                        yield entry

    def _create(self, temporary: Path, key: ObjectKey) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        try:
            return os.open(temporary, flags, 0o600)
        except FileNotFoundError:
            # Only a pack's two-digit folder is made on the way. When the root has vanished
            # (a disk unplugged), making it anew would write into the empty mount point.
            if key.kind is not FileKind.PACK:
                raise
            temporary.parent.mkdir(exist_ok=True)
            _sync_folder(temporary.parent.parent)
            return os.open(temporary, flags, 0o600)

    @contextlib.contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """Translate the operating system's errors into Everboot's."""
        try:
            yield
        except FileNotFoundError as exc:
            raise ObjectNotFoundError(
                f"{what} is not in {self._root}",
                hint="Is the disk still connected, and the folder still where it was?",
            ) from exc
        except NotADirectoryError as exc:
            raise StorageError(
                f"{self._root} is a file, or lies below one.",
                hint="A repository is a folder; check the address.",
            ) from exc
        except OSError as exc:
            reason = f"{what} in {self._root}: {exc.strerror}"
            if exc.errno in _FULL:
                raise StorageFullError(
                    reason, hint="Free some space there (everboot forget --prune), then run again."
                ) from exc
            if exc.errno in _DENIED:
                raise AccessDeniedError(
                    reason, hint="Check the folder's owner and rights."
                ) from exc
            raise StorageError(reason) from exc


def _unlink(file: Path) -> None:
    try:
        file.unlink()
    except PermissionError:
        # Windows refuses to delete a read-only file.
        file.chmod(stat.S_IRUSR | stat.S_IWUSR)
        file.unlink()


def _write_all(file: int, data: Data) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def _read_range(file: int, offset: int, length: int) -> bytes:
    os.lseek(file, offset, os.SEEK_SET)
    pieces: list[bytes] = []
    while length > 0 and (piece := os.read(file, length)):
        pieces.append(piece)
        length -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable; some file systems and Windows cannot sync folders."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
