"""Open stores, kept while their location stays as it is: a login for each request would be slow."""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict

from backup_agent.services.vault import Place, VaultStore
from console_ui.storage.locations import place_of
from console_ui.storage.models import Vault

_KEPT = 64


class Stores:
    """Lends out one ``VaultStore`` for each vault; the least recently used is dropped."""

    def __init__(self) -> None:
        self._open: OrderedDict[uuid.UUID, tuple[Place, VaultStore]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, vault: Vault) -> VaultStore:
        """Raises ``UsageError`` or ``AccessDeniedError`` where the location makes no sense."""
        place = place_of(vault.location)
        with self._lock:
            kept = self._open.get(vault.pk)
            if kept is None or kept[0] != place:
                # An older one may still be in use: it goes when its last user is done.
                kept = self._open[vault.pk] = (place, VaultStore(place, str(vault.pk)))
            self._open.move_to_end(vault.pk)
            if len(self._open) > _KEPT:
                self._open.popitem(last=False)
            return kept[1]

    def close(self) -> None:
        with self._lock:
            while self._open:
                _id, (_place, store) = self._open.popitem()
                store.close()


stores = Stores()
"""Those of this process."""
