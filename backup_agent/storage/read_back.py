"""A backend that reads back what it saved, for servers that check nothing themselves.

S3 and Swift are sent a checksum or a signature of the content and refuse what arrives changed;
TLS guards the way to any server, but not the server's memory and disk. REST and WebDAV servers
mostly store whatever they got, and no header makes them prove it. So what a repository cannot do
without is compared byte by byte as soon as it is stored: config, keys, snapshots, indexes and the
packs of trees. Packs of file contents would have to travel twice; for them it is a choice.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from backup_agent.errors import StorageError, TransientStorageError
from backup_agent.storage.backend import Backend, Data, FileKind, ObjectInfo, ObjectKey


class ReadBackBackend:
    """Compares after each save; with ``every_pack`` packs of file contents, too."""

    def __init__(self, inner: Backend, *, every_pack: bool) -> None:
        self._inner = inner
        self._every_pack = every_pack

    @property
    def location(self) -> str:
        return self._inner.location

    @property
    def listing_may_lag(self) -> bool:
        return self._inner.listing_may_lag

    def prepare(self) -> None:
        self._inner.prepare()

    def save(self, key: ObjectKey, data: Data) -> None:
        """Raises ``TransientStorageError`` for what arrived changed, which is removed again."""
        self._inner.save(key, data)
        if not self._is_compared(key) or self._inner.load(key) == data:
            return
        # What stands under a name must be what the name says; append-only servers keep it.
        with contextlib.suppress(StorageError):
            self._inner.remove(key)
        raise TransientStorageError(
            f"{key.path} in {self.location}: what is stored there is not what was sent",
            hint="Check the server's memory and disks, and the network if it is no https.",
        )

    def load(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
        return self._inner.load(key, offset, length)

    def size(self, key: ObjectKey) -> int:
        return self._inner.size(key)

    def list(self, kind: FileKind) -> Iterator[ObjectInfo]:
        return self._inner.list(kind)

    def remove(self, key: ObjectKey) -> None:
        self._inner.remove(key)

    def sweep(self) -> int:
        return self._inner.sweep()

    def close(self) -> None:
        self._inner.close()

    def _is_compared(self, key: ObjectKey) -> bool:
        match key.kind:
            case FileKind.PACK:
                return key.is_tree or self._every_pack
            case FileKind.LOCK:
                return False  # it lives for minutes, and others may remove it meanwhile
            case _:
                return True
