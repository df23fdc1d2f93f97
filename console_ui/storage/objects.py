"""What devices may do with the objects of a vault: add, and hide. Nothing is ever overwritten.

The order of the steps makes a crash between any two of them harmless. Adding: object, then
catalog; what is stored but not in the catalog was never acknowledged, and comes again. Hiding:
mark, then catalog; showing: the mark goes first, then the catalog. So a mark beside a visible
object only ever belongs to a deletion that was not acknowledged (``reconcile`` removes it).
"""

from __future__ import annotations

from datetime import datetime
from typing import BinaryIO

from django.db import transaction

from backup_agent.errors import EverbootError
from backup_agent.services.vault import CONFIG, FileKind, ObjectKey, VaultStore
from console_ui.storage import alarms, catalog
from console_ui.storage.marks import Mark, encode, mark_name
from console_ui.storage.models import State, StoredObject, Vault


class RefusedError(EverbootError):
    """Something that nobody may do to a vault through the gateway."""

    code = "vault.refused"


class BusyError(EverbootError):
    """Not now: the same in a moment will work."""

    code = "vault.busy"


def add(
    vault: Vault, store: VaultStore, key: ObjectKey, spool: BinaryIO, size: int, *, now: datetime
) -> None:
    """Store a new object, whose bytes are known to have its name for their SHA-256.

    Again for one that is there already: harmless. A hidden one becomes visible again. Raises
    ``RefusedError`` for another config than the one there is, ``BusyError``, ``StorageError``.
    """
    line = catalog.find(vault, key)
    if key == CONFIG:
        # The only name that is no hash: the first one stays.
        _add_config(vault, store, spool, size, now=now)
    elif line is None:
        store.write(key, spool)
        catalog.add(vault, key, size, at=now)
    elif line.state == State.PURGING:
        raise BusyError("This object is being purged right now.", hint="Send it again.")
    else:
        if store.size(key) != size:
            # Damaged or lost where it lies: what came now is known to be right.
            store.write(key, spool)
        if line.state == State.HIDDEN:
            store.remove_mark(mark_name(key))
            if not catalog.show(line):
                raise BusyError("This object changes right now.", hint="Send it again.")


def delete(vault: Vault, store: VaultStore, line: StoredObject, *, now: datetime) -> None:
    """Hide an object, as a device wishes; ``RefusedError`` for what every vault must keep."""
    key = line.key
    if key.kind is FileKind.CONFIG:
        raise RefusedError("The config of a vault cannot be deleted.")
    if key.kind is FileKind.KEY:
        _refuse_needed_key(vault, key)
    store.save_mark(mark_name(key), encode(Mark(key, now)))
    with transaction.atomic():
        # One step: a console that dies right after it has the alarm, too.
        if catalog.hide(line, at=now):
            alarms.watch(vault, key.kind, now=now)


def hide(store: VaultStore, line: StoredObject, *, now: datetime) -> None:
    """Make a visible object invisible, as the console wishes."""
    store.save_mark(mark_name(line.key), encode(Mark(line.key, now)))
    catalog.hide(line, at=now)


def show(store: VaultStore, line: StoredObject) -> None:
    """Make a hidden object visible again."""
    store.remove_mark(mark_name(line.key))
    catalog.show(line)


def remove_lock(store: VaultStore, line: StoredObject) -> None:
    """Locks go at once: a hidden one would help nobody."""
    store.remove(line.key)
    catalog.forget(line)


def _add_config(
    vault: Vault, store: VaultStore, spool: BinaryIO, size: int, *, now: datetime
) -> None:
    there = store.size(CONFIG)
    if there is None:
        store.write(CONFIG, spool)
    else:
        spool.seek(0)
        if b"".join(store.read(CONFIG, 0, there)) != spool.read():
            raise RefusedError(
                "This vault holds a repository already: its config cannot be replaced.",
                hint="Use the repository that is there, or ask for another vault.",
            )
    catalog.add(vault, CONFIG, size, at=now)


def _refuse_needed_key(vault: Vault, key: ObjectKey) -> None:
    if key.name == vault.console_key:
        raise RefusedError("This is the console's own key, which a device cannot delete.")
    if not catalog.visible(vault, FileKind.KEY).exclude(name=key.name).exists():
        raise RefusedError("The last key of a vault cannot be deleted: nothing would open it.")
