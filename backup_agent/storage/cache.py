"""A backend that keeps what is read again and again on this computer's disk.

Indexes, snapshots and packs of trees are kept whole. The cache is a hint and
never a truth: it may be deleted at any time, what it holds is checked against
the hash in its name, and no trouble of its own disk is anybody's error.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from secrets import token_hex

from backup_agent.errors import ObjectNotFoundError
from backup_agent.storage.backend import (
    Backend,
    Data,
    FileKind,
    ObjectInfo,
    ObjectKey,
    is_object_name,
)
from backup_agent.storage.failures import short_body

# The text that https://bford.info/cachedir/ asks for; backup programs skip folders that have it.
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# A cache of everboot; it may be deleted.\n"

_Stamp = tuple[int, int, int]
"""Size, time of change and inode of a file whose content was checked."""


class CachingBackend:
    """Keeps objects below ``folder``, which is this one repository's (named by its id)."""

    def __init__(self, inner: Backend, folder: Path) -> None:
        self._inner = inner
        self._folder = folder
        self._checked: dict[str, _Stamp] = {}
        # One lock for each first digit of a name: a pack wanted by two threads is fetched once.
        self._locks = {digit: threading.Lock() for digit in "0123456789abcdef"}
        self._writable = True
        self._prepare_folder()

    @property
    def location(self) -> str:
        return self._inner.location

    @property
    def listing_may_lag(self) -> bool:
        return self._inner.listing_may_lag

    def prepare(self) -> None:
        self._inner.prepare()

    def save(self, key: ObjectKey, data: Data) -> None:
        self._inner.save(key, data)
        if _is_kept(key):
            self._keep(key, data)

    def load(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
        if not _is_kept(key):
            return self._inner.load(key, offset, length)
        kept = self._read(key, offset, length)
        if kept is not None:
            return kept
        with self._locks[key.name[0]]:
            # Another thread may have fetched it while we waited.
            kept = self._read(key, offset, length)
            if kept is not None:
                return kept
            if not self._writable:
                # A pack that cannot be kept is not worth fetching whole for each of its trees.
                return self._inner.load(key, offset, length)
            data = self._inner.load(key)
            self._keep(key, data)
        end = None if length is None else offset + length
        return _of_length(key, data[offset:end], length)

    def size(self, key: ObjectKey) -> int:
        """What is not there is forgotten here too."""
        try:
            return self._inner.size(key)
        except ObjectNotFoundError:
            self._drop(key)
            raise

    def list(self, kind: FileKind) -> Iterator[ObjectInfo]:
        """The inner listing; at its end the packs that are no longer in it are forgotten here
        too. A listing that lags behind costs a second fetch, nothing more.
        """
        # The names of snapshots and indexes bear witness against a listing that leaves them out.
        gone = kept_names(self._folder, kind) if kind is FileKind.PACK else set()
        for info in self._inner.list(kind):
            gone.discard(info.name)
            yield info
        for name in gone:
            self._drop(ObjectKey(kind, name))

    def remove(self, key: ObjectKey) -> None:
        self._drop(key)
        self._inner.remove(key)

    def sweep(self) -> int:
        return self._inner.sweep()

    def close(self) -> None:
        self._inner.close()

    def _prepare_folder(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            tag = self._folder / "CACHEDIR.TAG"
            if not tag.exists():
                tag.write_text(_TAG, encoding="ascii")
        except OSError:
            self._writable = False

    def _read(self, key: ObjectKey, offset: int, length: int | None) -> bytes | None:
        """That part of a kept object, or ``None`` when it is not here or not whole."""
        try:
            with open(self._folder / key.path, "rb") as file:
                if not self._is_whole(key, file):
                    self._drop(key)
                    return None
                file.seek(offset)
                data = file.read() if length is None else file.read(length)
        except OSError:
            return None
        return _of_length(key, data, length)

    def _is_whole(self, key: ObjectKey, file: BufferedReader) -> bool:
        """Whether the content is that of its name.

        Looked at once, and again when the file has changed: to hash a pack of
        16 MiB for each of its trees would be slower than no cache.
        """
        stamp = _stamp(file.fileno())
        if self._checked.get(key.name) != stamp:
            if hashlib.file_digest(file, "sha256").hexdigest() != key.name:
                return False
            self._checked[key.name] = stamp
        return True

    def _keep(self, key: ObjectKey, data: Data) -> None:
        if not self._writable or hashlib.sha256(data).hexdigest() != key.name:
            return
        final = self._folder / key.path
        temporary = final.with_name(f"{final.name}-tmp-{token_hex(8)}")
        try:
            final.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(temporary, "xb") as file:
                file.write(data)
                file.flush()
                stamp = _stamp(file.fileno())
            os.replace(temporary, final)
        except OSError:
            # Full, read-only, deleted under our hands: the rest of this run goes without.
            self._writable = False
            with contextlib.suppress(OSError):
                temporary.unlink()
        else:
            self._checked[key.name] = stamp

    def _drop(self, key: ObjectKey) -> None:
        self._checked.pop(key.name, None)
        with contextlib.suppress(OSError):
            (self._folder / key.path).unlink()


def kept_names(folder: Path, kind: FileKind) -> set[str]:
    """The objects of that kind which a cache in ``folder`` keeps; none where it cannot be read."""
    pattern = "*/*" if kind is FileKind.PACK else "*"
    try:
        found = [path.name for path in (folder / kind.value).glob(pattern)]
    except OSError:
        return set()
    return {name for name in found if is_object_name(name)}


def _is_kept(key: ObjectKey) -> bool:
    return key.kind in (FileKind.INDEX, FileKind.SNAPSHOT) or (
        key.kind is FileKind.PACK and key.is_tree
    )


def _stamp(file: int) -> _Stamp:
    status = os.fstat(file)
    return status.st_size, status.st_mtime_ns, status.st_ino


def _of_length(key: ObjectKey, data: bytes, length: int | None) -> bytes:
    if length is not None and len(data) < length:
        raise short_body(key.path, wanted=length, got=len(data))
    return data
