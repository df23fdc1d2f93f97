"""The end of what was hidden 14 days ago, unless an alarm is open.

An object's mark is asked for once more before it goes: without it, somebody was about to show
the object when the console died, and so it is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Q

from backup_agent.services.vault import VaultStore
from console_ui.storage import alarms, catalog
from console_ui.storage.marks import mark_name
from console_ui.storage.models import State, StoredObject, Vault

KEPT_FOR = timedelta(days=14)


def purge(
    vault: Vault, store: VaultStore, *, now: datetime, go_on: Callable[[], bool] = lambda: True
) -> int:
    """Delete for good what is due; returns how many objects went. Raises ``StorageError``.

    ``go_on`` is asked before each object.
    """
    if vault.bringing_back_to is not None:
        return 0
    begun = Q(state=State.PURGING)
    due = Q(state=State.HIDDEN, hidden_at__lte=now - KEPT_FOR)
    gone = 0
    # Oldest first: broken off, it leaves one moment from which on everything is there.
    lines = StoredObject.objects.filter(begun | due, vault=vault).order_by("hidden_at")
    for line in lines.select_related("vault"):
        # Asked each time: an alarm may come while this runs, for hours perhaps.
        if alarms.has_open(vault) or not go_on():
            break
        if line.state == State.PURGING or catalog.begin_purge(line):
            gone += _purge_one(store, line)
    return gone


def _purge_one(store: VaultStore, line: StoredObject) -> int:
    mark = mark_name(line.key)
    if not store.has_mark(mark) and store.size(line.key) is not None:
        catalog.give_up_purge(line)
        return 0
    store.remove(line.key)
    store.remove_mark(mark)
    catalog.forget(line)
    return 1
