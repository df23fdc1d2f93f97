"""A backend that fails on purpose: the storage of crash tests.

A test runs its story once to count the operations that change something, then
once more for each of them with that one failing, and looks at what is left.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from enum import Enum, auto
from typing import assert_never

from backup_agent.errors import StorageError
from backup_agent.storage.backend import Backend, Data, FileKind, ObjectInfo, ObjectKey


class Moment(Enum):
    """When the failing operation fails."""

    BEFORE = auto()
    """Nothing was done."""
    AFTER = auto()
    """All was done, only the answer is lost."""


class FaultyBackend:
    """Fails the ``fail_at``-th operation that changes something (counted from 1; 0: never).

    With ``for_good`` all later ones fail too, before doing anything, as after
    a crash. ``operations`` counts those that were asked for.
    """

    def __init__(
        self,
        inner: Backend,
        *,
        fail_at: int = 0,
        moment: Moment = Moment.BEFORE,
        for_good: bool = True,
        error: type[StorageError] = StorageError,
    ) -> None:
        self.operations = 0
        self._inner = inner
        self._fail_at = fail_at
        self._moment = moment
        self._for_good = for_good
        self._error = error
        self._lock = threading.Lock()

    @property
    def location(self) -> str:
        return self._inner.location

    @property
    def listing_may_lag(self) -> bool:
        return self._inner.listing_may_lag

    def prepare(self) -> None:
        self._change("prepare", self._inner.prepare)

    def save(self, key: ObjectKey, data: Data) -> None:
        self._change(f"save {key.path}", lambda: self._inner.save(key, data))

    def load(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
        return self._inner.load(key, offset, length)

    def size(self, key: ObjectKey) -> int:
        return self._inner.size(key)

    def list(self, kind: FileKind) -> Iterator[ObjectInfo]:
        return self._inner.list(kind)

    def remove(self, key: ObjectKey) -> None:
        self._change(f"remove {key.path}", lambda: self._inner.remove(key))

    def sweep(self) -> int:
        swept = 0

        def sweep() -> None:
            nonlocal swept
            swept = self._inner.sweep()

        self._change("sweep", sweep)
        return swept

    def close(self) -> None:
        self._inner.close()

    def _change(self, what: str, work: Callable[[], None]) -> None:
        with self._lock:
            self.operations += 1
            number = self.operations
        if self._fail_at and number > self._fail_at and self._for_good:
            raise self._error(f"{what}: failing for good since operation {self._fail_at}")
        if number != self._fail_at:
            work()
            return
        match self._moment:
            case Moment.BEFORE:
                pass
            case Moment.AFTER:
                work()
            case _:
                assert_never(self._moment)
        raise self._error(f"{what}: operation {number} fails on purpose")
