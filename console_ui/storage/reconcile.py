"""Making the catalog agree with what lies in the storage: after crashes, or from nothing.

A listing may lag behind, so an object is never believed lost because a listing leaves it out.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from backup_agent.services.vault import FileKind, ObjectInfo, ObjectKey, VaultStore
from console_ui.storage import catalog, objects
from console_ui.storage.marks import Mark, decode, mark_name
from console_ui.storage.models import State, StoredObject, Vault

EVERY = timedelta(days=1)
_PAGE = 2000


def reconcile(vault: Vault, store: VaultStore, *, now: datetime) -> None:
    """Note what the catalog does not know, hidden where a mark says so. Raises ``StorageError``
    or ``IntegrityError`` (a mark that cannot be read).

    What the catalog knows already, it knows best: a mark beside a visible object belongs to a
    deletion that was never acknowledged, and is removed.
    """
    marks = {name: decode(record) for name, record in store.marks()}
    for kind in FileKind:
        found: list[ObjectInfo] = []
        for info in store.list(kind):
            found.append(info)
            if len(found) == _PAGE:
                _note_unknown(vault, kind, found, marks)
                found.clear()
        _note_unknown(vault, kind, found, marks)
    _remove_stray_marks(vault, store, marks)
    _forget_lost_locks(vault, store, now)
    Vault.objects.filter(pk=vault.pk).update(reconciled_at=now)


def _note_unknown(
    vault: Vault, kind: FileKind, found: list[ObjectInfo], marks: dict[str, Mark]
) -> None:
    names = [info.name for info in found]
    known = set(
        StoredObject.objects.filter(vault=vault, kind=kind.value, name__in=names).values_list(
            "name", flat=True
        )
    )
    for info in found:
        if info.name in known:
            continue
        key = ObjectKey(kind, info.name)
        catalog.add(vault, key, info.size, at=None)
        mark = marks.get(mark_name(key))
        line = catalog.find(vault, key)
        if mark is not None and line is not None:
            catalog.hide(line, at=mark.hidden_at)


def _remove_stray_marks(vault: Vault, store: VaultStore, marks: dict[str, Mark]) -> None:
    for name, mark in marks.items():
        line = catalog.find(vault, mark.key)
        if line is None and store.size(mark.key) is None:
            store.remove_mark(name)  # of an object whose purge was broken off
        elif line is not None and line.state == State.VISIBLE:
            objects.let_mark_agree(store, line)


def _forget_lost_locks(vault: Vault, store: VaultStore, now: datetime) -> None:
    """Asked for one by one; also those that went between their listing and their being noted.
    A lock in use is younger: whoever holds one renews it.
    """
    for line in catalog.visible(vault, FileKind.LOCK).exclude(stored_at__gt=now - EVERY):
        if store.size(line.key) is None:
            catalog.forget(line)
