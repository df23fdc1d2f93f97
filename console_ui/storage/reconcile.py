"""Making the catalog agree with what lies in the storage: after crashes, or from nothing.

A listing may lag behind, so an object is never believed lost because a listing leaves it out.

A mark of which the catalog knows nothing tells that the database was lost, or is an older copy:
a mark is only ever written after the catalog has noted when the object was hidden. What it hides
counts as deleted now. So it is kept for 14 days from here on, and judged: there may have been an
alarm that nobody knows of any more.
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

    A mark beside an object that was hidden then, and shown since, is what a crash has left behind,
    and is removed.
    """
    marks = {name: decode(record) for name, record in store.marks()}
    _follow_marks_of_known(vault, store, marks, now)
    for kind in FileKind:
        found: list[ObjectInfo] = []
        for info in store.list(kind):
            found.append(info)
            if len(found) == _PAGE:
                _note_unknown(vault, kind, found, marks, now)
                found.clear()
        _note_unknown(vault, kind, found, marks, now)
    _remove_marks_of_nothing(vault, store, marks)
    _forget_lost_locks(vault, store, now)
    Vault.objects.filter(pk=vault.pk).update(reconciled_at=now)


def _follow_marks_of_known(
    vault: Vault, store: VaultStore, marks: dict[str, Mark], now: datetime
) -> None:
    for mark in marks.values():
        line = catalog.find(vault, mark.key)
        if line is None or line.state != State.VISIBLE:
            continue
        if _was_noted(mark, line):
            objects.let_mark_agree(store, line)
        else:
            catalog.hide(line, at=now)


def _was_noted(mark: Mark, line: StoredObject) -> bool:
    """Whether the catalog knew of the deletion that the mark tells of."""
    return line.was_hidden_at is not None and mark.hidden_at <= line.was_hidden_at


def _note_unknown(
    vault: Vault, kind: FileKind, found: list[ObjectInfo], marks: dict[str, Mark], now: datetime
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
        line = catalog.add(vault, key, info.size, at=None)
        if mark_name(key) in marks:
            catalog.hide(line, at=now)


def _remove_marks_of_nothing(vault: Vault, store: VaultStore, marks: dict[str, Mark]) -> None:
    """Of objects whose purge was broken off."""
    for name, mark in marks.items():
        if catalog.find(vault, mark.key) is None and store.size(mark.key) is None:
            store.remove_mark(name)


def _forget_lost_locks(vault: Vault, store: VaultStore, now: datetime) -> None:
    """Asked for one by one; also those that went between their listing and their being noted.
    A lock in use is younger: whoever holds one renews it.
    """
    for line in catalog.visible(vault, FileKind.LOCK).exclude(stored_at__gt=now - EVERY):
        if store.size(line.key) is None:
            catalog.forget(line)
