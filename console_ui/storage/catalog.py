"""What each vault holds, as the database tells it, with the sums of it.

Every change of a line and of the vault's sums is one transaction, and it alone changes that
vault. A change names the state it starts from, so that of two at once only one happens.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet

from backup_agent.services.vault import FileKind, ObjectInfo, ObjectKey
from console_ui.storage.models import State, StoredObject, Vault

_PAGE = 5000


@contextmanager
def changing(vault_id: uuid.UUID) -> Iterator[Vault]:
    """A transaction in which nobody else changes what the vault holds, nor wishes it brought
    back. Gives the vault as it is now.
    """
    with transaction.atomic():
        # SQLite knows no locks of rows, but its transactions exclude each other (IMMEDIATE).
        yield Vault.objects.select_for_update(no_key=True).get(pk=vault_id)


def find(vault: Vault, key: ObjectKey) -> StoredObject | None:
    return StoredObject.objects.filter(vault=vault, kind=key.kind.value, name=key.name).first()


def visible(vault: Vault, kind: FileKind) -> QuerySet[StoredObject]:
    return StoredObject.objects.filter(vault=vault, kind=kind.value, state=State.VISIBLE)


def listing(vault: Vault, kind: FileKind) -> Iterator[ObjectInfo]:
    """The visible objects of a kind, in the order of their names.

    Page by page: a slow reader holds no transaction open, and no long list in memory.
    """
    after = ""
    while True:
        page = list(
            visible(vault, kind)
            .filter(name__gt=after)
            .order_by("name")
            .values_list("name", "size")[:_PAGE]
        )
        for name, size in page:
            yield ObjectInfo(name, size)
        if len(page) < _PAGE:
            return
        after = page[-1][0]


def add(vault: Vault, key: ObjectKey, size: int, *, at: datetime | None) -> StoredObject:
    """Note a new visible object; one that is noted already stays as it is."""
    with changing(vault.pk):
        line, is_new = StoredObject.objects.get_or_create(
            vault=vault,
            kind=key.kind.value,
            name=key.name,
            defaults={"size": size, "stored_at": at},
        )
        if is_new:
            _count(vault.pk, visible=size)
    return line


def hide(line: StoredObject, *, at: datetime) -> bool:
    """Whether it was visible until now."""
    return _hide(line, State.HIDDEN, hidden_at=at)


def show(line: StoredObject) -> bool:
    """Whether it was hidden until now, and no purge had begun."""
    return _show(line, State.HIDDEN)


def begin_removal(line: StoredObject) -> bool:
    """Of something that goes at once: nobody sees it from here on. Whether it was visible."""
    return _hide(line, State.PURGING)


def begin_purge(line: StoredObject) -> bool:
    """From here on nobody shows it again, nor brings the vault back to before it was hidden.
    Whether it was still hidden.
    """
    with transaction.atomic():
        begun = _change(line, State.HIDDEN, state=State.PURGING)
        if begun:
            later = Q(purged_until=None) | Q(purged_until__lt=line.hidden_at)
            Vault.objects.filter(later, pk=line.vault_id).update(purged_until=line.hidden_at)
    return begun


def give_up_purge(line: StoredObject) -> None:
    """Show it after all."""
    _show(line, State.PURGING)


def forget(line: StoredObject) -> None:
    """The object is gone."""
    with changing(line.vault_id):
        gone = StoredObject.objects.filter(pk=line.pk).first()
        if gone is None:
            return
        gone.delete()
        is_visible = gone.state == State.VISIBLE
        _count(
            line.vault_id,
            visible=-gone.size if is_visible else 0,
            hidden=0 if is_visible else -gone.size,
        )


def _hide(line: StoredObject, after: State, **values: object) -> bool:
    with changing(line.vault_id):
        done = _change(line, State.VISIBLE, state=after, **values)
        if done:
            _count(line.vault_id, visible=-line.size, hidden=line.size)
    return done


def _show(line: StoredObject, before: State) -> bool:
    with changing(line.vault_id):
        was = {"hidden_at": None, "was_hidden_at": F("hidden_at")}
        done = _change(line, before, state=State.VISIBLE, **was)
        if done:
            _count(line.vault_id, visible=line.size, hidden=-line.size)
    return done


def _change(line: StoredObject, before: State, **values: object) -> bool:
    return bool(StoredObject.objects.filter(pk=line.pk, state=before).update(**values))


def _count(vault_id: uuid.UUID, *, visible: int = 0, hidden: int = 0) -> None:
    Vault.objects.filter(pk=vault_id).update(
        visible_bytes=F("visible_bytes") + visible, hidden_bytes=F("hidden_bytes") + hidden
    )
