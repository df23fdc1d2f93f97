"""Storage whose listings are not to be trusted."""

from __future__ import annotations

from collections.abc import Iterator

from backup_agent.storage.backend import FileKind, ObjectInfo, ObjectKey
from backup_agent.storage.memory import MemoryBackend


class LaggingBackend(MemoryBackend):
    """Lists as Swift may: leaving out what is there, naming what is not handed out.

    ``admits``: whether it says so, as Swift's backend does; a broken server does not.
    """

    def __init__(self, *, admits: bool = False) -> None:
        super().__init__()
        self.unlisted: set[str] = set()
        self.ghosts: set[ObjectKey] = set()
        self._admits = admits

    @property
    def listing_may_lag(self) -> bool:
        return self._admits

    def list(self, kind: FileKind) -> Iterator[ObjectInfo]:
        for info in super().list(kind):
            if info.name not in self.unlisted:
                yield info
        for key in self.ghosts:
            if key.kind is kind and key.path not in self.objects:
                yield ObjectInfo(key.name, 1)
