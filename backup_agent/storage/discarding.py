"""A backend that reads the real place and throws away what is written: a dry run in one object."""

from __future__ import annotations

from collections.abc import Iterator

from backup_agent.storage.backend import Backend, Data, FileKind, ObjectInfo, ObjectKey


class DiscardingBackend:
    """Everything runs as always, up to the last step: nothing arrives, nothing is removed."""

    def __init__(self, inner: Backend) -> None:
        self._inner = inner
        self._pretended: dict[ObjectKey, int] = {}

    @property
    def location(self) -> str:
        return self._inner.location

    @property
    def listing_may_lag(self) -> bool:
        return self._inner.listing_may_lag

    def prepare(self) -> None:
        pass

    def save(self, key: ObjectKey, data: Data) -> None:
        self._pretended[key] = len(data)

    def load(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
        return self._inner.load(key, offset, length)

    def size(self, key: ObjectKey) -> int:
        pretended = self._pretended.get(key)
        return self._inner.size(key) if pretended is None else pretended

    def list(self, kind: FileKind) -> Iterator[ObjectInfo]:
        return self._inner.list(kind)

    def remove(self, key: ObjectKey) -> None:
        self._pretended.pop(key, None)

    def sweep(self) -> int:
        return 0

    def close(self) -> None:
        self._inner.close()
