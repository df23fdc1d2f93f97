"""POST and DELETE: adding objects, and hiding them."""

from __future__ import annotations

from typing import BinaryIO

from django.utils import timezone

from backup_agent.services.vault import FileKind, ObjectKey
from console_ui.audit.record import Outcome, record
from console_ui.storage import catalog, objects, quota
from console_ui.storage.gateway.access import Access
from console_ui.storage.gateway.budget import LARGEST_BYTES
from console_ui.storage.gateway.messages import Answer, Refusal, Request
from console_ui.storage.models import State, Vault
from console_ui.storage.stores import stores

_NOTED = {
    FileKind.CONFIG: "vault.repository",
    FileKind.KEY: "vault.key",
    FileKind.SNAPSHOT: "vault.restore_point",
}
"""What the audit log tells of; packs, indexes and locks come and go by the thousand."""


def prepare(access: Access) -> Answer:
    """``POST ?create=true``: make the vault's place ready for a new repository."""
    access.require_change(None)
    stores.of(access.vault).prepare()
    return Answer()


def announced_length(request: Request, key: ObjectKey) -> int:
    """How long the body will be. Raises ``Refusal`` where it does not say, or is too long."""
    text = request.headers.get("content-length", "")
    if not (text.isascii() and text.isdecimal()):
        raise Refusal(411, "An upload has to say its Content-Length.")
    if len(text) > 18 or int(text) > LARGEST_BYTES[key.kind]:
        raise Refusal(413, f"No such object is larger than {LARGEST_BYTES[key.kind]} bytes.")
    return int(text)


def require_room(access: Access, key: ObjectKey, length: int) -> None:
    """Before a body is taken in. Raises ``QuotaExceededError``."""
    line = catalog.find(access.vault, key)
    if line is None or line.state != State.VISIBLE:
        quota.require_room(access.vault, key.kind, length)


def add(access: Access, key: ObjectKey, file: BinaryIO, sha256: str, length: int) -> Answer:
    """Store a body that came in whole."""
    if key.kind is not FileKind.CONFIG and sha256 != key.name:
        raise Refusal(400, "The name of an object is the SHA-256 of its bytes; this one is not.")
    vault = Vault.objects.select_related("location").get(pk=access.vault.pk)
    is_new = catalog.find(vault, key) is None
    if is_new:
        quota.require_room(vault, key.kind, length)
    objects.add(vault, stores.of(vault), key, file, length, now=timezone.now())
    if is_new:
        _note(access, key, "added")
    return Answer()


def delete(access: Access, key: ObjectKey) -> Answer:
    """Hide the object; a lock goes at once."""
    access.require_change(key.kind)
    line = catalog.find(access.vault, key)
    if line is None or line.state != State.VISIBLE:
        raise Refusal(404, f"There is no {key.path} in this vault.")
    store = stores.of(access.vault)
    if key.kind is FileKind.LOCK:
        objects.remove_lock(store, line)
        quota.lock_was_removed(access.vault)
        return Answer()
    try:
        objects.delete(access.vault, store, line, now=timezone.now())
    except objects.RefusedError:
        _note(access, key, "deletion_refused", Outcome.REFUSED)
        raise
    _note(access, key, "hidden")
    return Answer()


def refuse_whole(access: Access) -> Answer:
    """``DELETE`` of the repository."""
    _note(access, ObjectKey(FileKind.CONFIG), "deletion_refused", Outcome.REFUSED)
    raise Refusal(403, "A vault cannot be deleted by a device.")


def _note(access: Access, key: ObjectKey, verb: str, outcome: Outcome = Outcome.DONE) -> None:
    if key.kind in _NOTED:
        record(
            f"{_NOTED[key.kind]}_{verb}",
            by=access.actor,
            organisation_id=access.vault.organisation_id,
            about=access.vault.name,
            outcome=outcome,
            details={"name": key.name} if key.name else {},
        )
