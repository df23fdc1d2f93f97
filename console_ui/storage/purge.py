"""The end of what was hidden 14 days ago, unless an alarm is open or a bring-back wished for.

An object's mark is asked for once more before it goes: without it, somebody was about to show
the object when the console died, and so it is shown. Locks, which go at once, are here only when
a console died on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from django.db.models import Q

from backup_agent.services.vault import FileKind, VaultStore
from console_ui.storage import alarms, catalog
from console_ui.storage.deletions import KEPT_FOR
from console_ui.storage.marks import mark_name
from console_ui.storage.models import State, StoredObject, Vault

_PAGE = 500


def purge(
    vault: Vault, store: VaultStore, *, now: datetime, go_on: Callable[[], bool] = lambda: True
) -> int:
    """Delete for good what is due; returns how many objects went. Raises ``StorageError``.

    ``go_on`` is asked before each object.
    """
    gone = 0
    for line in _due(vault, now):
        if not go_on() or not _begin(line):
            break
        gone += _purge_one(store, line)
    return gone


def _due(vault: Vault, now: datetime) -> Iterator[StoredObject]:
    """Oldest first: broken off, it leaves one moment from which on everything is there.

    In a vault of a lost database people have as long to look as if all had just been deleted:
    there may have been an alarm.
    """
    begun = Q(state=State.PURGING)
    due = Q(
        state=State.HIDDEN,
        hidden_at__lte=now - KEPT_FOR,
        vault__made_at__lte=now - KEPT_FOR,
    )
    lines = StoredObject.objects.filter(begun | due, vault=vault).order_by("hidden_at")
    # There may be millions. What is done leaves the query, so the first page is always the next.
    while page := list(lines[:_PAGE]):
        yield from page


def _begin(line: StoredObject) -> bool:
    """Whether purging may go on in this vault: alarms and wishes come while it runs for hours."""
    with catalog.changing(line.vault_id) as vault:
        if vault.bringing_back_to is not None or alarms.has_open(vault):
            return False
        catalog.begin_purge(line)
    return True


def _purge_one(store: VaultStore, line: StoredObject) -> int:
    now = StoredObject.objects.filter(pk=line.pk, state=State.PURGING).first()
    if now is None:
        return 0  # shown in time
    mark = mark_name(line.key)
    is_lock = line.key.kind is FileKind.LOCK
    if not is_lock and not store.has_mark(mark) and store.size(line.key) is not None:
        catalog.give_up_purge(line)
        return 0
    store.remove(line.key)
    store.remove_mark(mark)
    catalog.forget(line)
    return 1
