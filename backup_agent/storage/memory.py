"""A backend in memory, for tests and for measuring without a disk."""

from __future__ import annotations

from collections.abc import Iterator

from backup_agent.errors import ObjectNotFoundError
from backup_agent.storage.backend import Data, FileKind, ObjectInfo, ObjectKey, is_object_name
from backup_agent.storage.failures import short_body


class MemoryBackend:
    """Keeps the objects in a dict by their path."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    @property
    def location(self) -> str:
        return "memory"

    @property
    def listing_may_lag(self) -> bool:
        return False

    def prepare(self) -> None:
        pass

    def save(self, key: ObjectKey, data: Data) -> None:
        self.objects[key.path] = bytes(data)

    def load(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
        data = self._find(key)[offset:]
        if length is not None and len(data) < length:
            raise short_body(f"{key.path} in {self.location}", wanted=length, got=len(data))
        return data[:length]

    def size(self, key: ObjectKey) -> int:
        return len(self._find(key))

    def list(self, kind: FileKind) -> Iterator[ObjectInfo]:
        if kind is FileKind.CONFIG:
            return
        for path, data in list(self.objects.items()):
            name = path.rpartition("/")[2]
            if path.startswith(f"{kind.value}/") and is_object_name(name):
                yield ObjectInfo(name, len(data))

    def remove(self, key: ObjectKey) -> None:
        self.objects.pop(key.path, None)

    def sweep(self) -> int:
        return 0

    def close(self) -> None:
        pass

    def _find(self, key: ObjectKey) -> bytes:
        try:
            return self.objects[key.path]
        except KeyError:
            raise ObjectNotFoundError(f"{key.path} is not in {self.location}") from None
