"""What devices may do with the objects of a vault: add, and delete. Nothing is ever overwritten.

Storage and database cannot change in one step; the order of the steps makes a crash between any
two of them harmless. Adding: object, then catalog; what is stored but not in the catalog was
never acknowledged, and comes again. Hiding: catalog, then mark, and only then the answer; asked
again after a crash, the rest is done. Showing: the mark goes first, then the catalog. Removing a
lock: the catalog says so, the object goes, then its line.

Requests for the same object may cross each other, so whoever has changed a line looks after its
mark until both say the same (``let_mark_agree``). That suffices: another's change comes before
the last look at the line, and is seen by it, or after it, and then that other looks after the
mark later.
"""

from __future__ import annotations

from datetime import datetime
from typing import BinaryIO, Protocol

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


class Mandate(Protocol):
    """By whose right a vault is changed. Asked once more in the transaction that changes it:
    minutes may have passed since the request came.
    """

    def objection(self) -> Exception | None:
        """What speaks against the change now: it is not made, and this is raised."""
        ...

    def fulfilled(self) -> None:
        """Called in the same transaction, once the change is made."""
        ...


def add(
    vault: Vault,
    store: VaultStore,
    key: ObjectKey,
    spool: BinaryIO,
    size: int,
    *,
    mandate: Mandate,
    now: datetime,
) -> None:
    """Store a new object, whose bytes are known to have its name for their SHA-256.

    Again for one that is there already: harmless. A hidden one becomes visible again. Raises
    ``RefusedError`` for another config than the one there is, ``BusyError``, ``StorageError``,
    the mandate's objection. Two at once with a config must not come here (``quota.reserve``).
    """
    line = catalog.find(vault, key)
    if line is not None and line.state == State.PURGING:
        raise _changing_right_now()
    if key == CONFIG:
        _write_config(store, spool)
    elif line is None or store.size(key) != size:
        # One that is known is damaged or lost where it lies: what came now is known to be right.
        store.write(key, spool)
    if line is not None and line.state == State.HIDDEN:
        store.remove_mark(mark_name(key))
    _note_stored(vault, store, key, size, before=line, mandate=mandate, now=now)


def delete(
    vault: Vault, store: VaultStore, line: StoredObject, *, mandate: Mandate, now: datetime
) -> None:
    """Hide an object, or remove a lock, as a device wishes. Raises ``RefusedError`` for what
    every vault must keep, ``StorageError``, the mandate's objection.
    """
    key = line.key
    expected = alarms.expect(vault, key.kind, now=now)
    with catalog.changing(vault.pk) as current:
        if (objection := mandate.objection()) is not None:
            raise objection
        _refuse_needed(current, key)
        if key.kind is FileKind.LOCK:
            is_done = catalog.begin_removal(line)
        else:
            is_done = catalog.hide(line, at=now)
        if is_done:
            mandate.fulfilled()
            current.refresh_from_db()
            alarms.watch(current, key.kind, expected, now=now)
    if key.kind is FileKind.LOCK:
        _finish_removal(store, line)
    else:
        let_mark_agree(store, line)


def finish_deletion(store: VaultStore, line: StoredObject) -> bool:
    """Do what is left of one that a crash or the storage broke off; whether anything was."""
    match State(line.state), line.key.kind:
        case State.PURGING, FileKind.LOCK:
            _finish_removal(store, line)
            return True
        case State.HIDDEN, _ if not store.has_mark(mark_name(line.key)):
            let_mark_agree(store, line)
            return True
        case _:
            return False


def hide(store: VaultStore, line: StoredObject, *, now: datetime) -> None:
    """Make a visible object invisible."""
    catalog.hide(line, at=now)
    let_mark_agree(store, line)


def show(store: VaultStore, line: StoredObject) -> None:
    """Make a hidden object visible again."""
    store.remove_mark(mark_name(line.key))
    catalog.show(line)
    let_mark_agree(store, line)


def remove_lock(store: VaultStore, line: StoredObject) -> None:
    """Locks go at once: a hidden one would help nobody."""
    if catalog.begin_removal(line):
        _finish_removal(store, line)


def let_mark_agree(store: VaultStore, line: StoredObject) -> None:
    """See to it until the mark beside the object says what the catalog says."""
    told: State | None = None
    while (now := StoredObject.objects.filter(pk=line.pk).first()) is not None:
        state = State(now.state)
        if state is told or state is State.PURGING:
            return  # A purge takes the mark along.
        if state is State.HIDDEN and now.hidden_at is not None:
            store.save_mark(mark_name(now.key), encode(Mark(now.key, now.hidden_at)))
        else:
            store.remove_mark(mark_name(now.key))
        told = state


def _note_stored(
    vault: Vault,
    store: VaultStore,
    key: ObjectKey,
    size: int,
    *,
    before: StoredObject | None,
    mandate: Mandate,
    now: datetime,
) -> None:
    """The object lies in the storage: let the catalog know, unless somebody has come between."""
    with catalog.changing(vault.pk):
        line = catalog.find(vault, key)
        is_gone = before is not None and line is None
        if is_gone or (line is not None and line.state == State.PURGING):
            # Purged since we looked; perhaps the object, too.
            raise _changing_right_now()
        objection = mandate.objection()
        if objection is None:
            _make_visible(vault, key, line, size, mandate=mandate, now=now)
        elif line is None and key.kind not in (FileKind.LOCK, FileKind.CONFIG):
            # It lies there now, so it is known from the start as something deleted.
            catalog.hide(catalog.add(vault, key, size, at=now), at=now)
            line = catalog.find(vault, key)
    if line is not None and line.state == State.HIDDEN:
        let_mark_agree(store, line)
    if objection is not None:
        if line is None and key.kind is FileKind.LOCK:
            store.remove(key)
        raise objection


def _make_visible(
    vault: Vault,
    key: ObjectKey,
    line: StoredObject | None,
    size: int,
    *,
    mandate: Mandate,
    now: datetime,
) -> None:
    if line is None:
        catalog.add(vault, key, size, at=now)
        mandate.fulfilled()
    elif catalog.show(line):
        mandate.fulfilled()


def _write_config(store: VaultStore, spool: BinaryIO) -> None:
    """The only name that is no hash: the first one stays."""
    there = store.size(CONFIG)
    if there is None:
        store.write(CONFIG, spool)
        return
    spool.seek(0)
    if b"".join(store.read(CONFIG, 0, there)) != spool.read():
        raise RefusedError(
            "This vault holds a repository already: its config cannot be replaced.",
            hint="Use the repository that is there, or ask for another vault.",
        )


def _refuse_needed(vault: Vault, key: ObjectKey) -> None:
    if key.kind is FileKind.CONFIG:
        raise RefusedError("The config of a vault cannot be deleted.")
    if key.kind is not FileKind.KEY:
        return
    if key.name == vault.console_key:
        raise RefusedError("This is the console's own key, which a device cannot delete.")
    if not catalog.visible(vault, FileKind.KEY).exclude(name=key.name).exists():
        raise RefusedError("The last key of a vault cannot be deleted: nothing would open it.")


def _finish_removal(store: VaultStore, line: StoredObject) -> None:
    store.remove(line.key)
    catalog.forget(line)


def _changing_right_now() -> BusyError:
    return BusyError("This object changes right now.", hint="Send it again.")
