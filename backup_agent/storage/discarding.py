"""A backend that reads the real place and throws away what is written: a dry run in one object."""

from __future__ import annotations

from collections.abc import Iterator

from backup_agent.storage.backend import Backend, Data, FileKind, ObjectInfo, ObjectKey


class DiscardingBackend:
    """Everything runs as always, up to the last step: nothing arrives, nothing is removed."""

    def __init__(self, inner: Backend) -> None:
        self._inner = inner

    @property
    def location(self) -> str:
        return self._inner.location

    def prepare(self) -> None:
        pass

    def save(self, key: ObjectKey, data: Data) -> None:
        pass

    def load(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
        return self._inner.load(key, offset, length)

    def size(self, key: ObjectKey) -> int:
        return self._inner.size(key)

    def list(self, kind: FileKind) -> Iterator[ObjectInfo]:
        return self._inner.list(kind)

    def remove(self, key: ObjectKey) -> None:
        pass

    def close(self) -> None:
        self._inner.close()
