"""What was worked out for a vault a moment ago, and still holds."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, TypeVar

from console_ui.storage.models import Vault

_VALID_FOR = timedelta(minutes=10)
_VAULTS = 100

T = TypeVar("T")


class Remembered(Generic[T]):
    """Of the vaults that were looked at last. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[uuid.UUID, tuple[datetime, Hashable, T]] = {}

    def of(self, vault: Vault, basis: Hashable, work_out: Callable[[], T], *, now: datetime) -> T:
        """The same as before if that came from the same ``basis`` within ten minutes."""
        with self._lock:
            known = self._known.get(vault.pk)
        if known is not None:
            since, from_what, value = known
            if from_what == basis and timedelta(0) <= now - since < _VALID_FOR:
                return value
        found = work_out()
        with self._lock:
            self._known.pop(vault.pk, None)
            self._known[vault.pk] = now, basis, found
            if len(self._known) > _VAULTS:
                del self._known[next(iter(self._known))]
        return found
