"""POST and DELETE: adding objects, and hiding them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO, TypeAlias

from django.utils import timezone

from backup_agent.services.vault import FileKind, ObjectKey
from console_ui.audit.record import Outcome, record
from console_ui.storage import catalog, objects, quota
from console_ui.storage.gateway.access import Access, Rights
from console_ui.storage.gateway.largest import LARGEST_BYTES
from console_ui.storage.gateway.messages import Answer, Refusal, Request
from console_ui.storage.gateway.pace import longest_seconds
from console_ui.storage.models import State, Upload
from console_ui.storage.stores import stores

AskAgain: TypeAlias = Callable[[], Access]
"""What the request may do at this moment; raises ``Refusal``."""

_NOTED = {
    FileKind.CONFIG: "vault.repository",
    FileKind.KEY: "vault.key",
    FileKind.SNAPSHOT: "vault.restore_point",
}
"""What the audit log tells of; packs, indexes and locks come and go by the thousand."""

_MOST_LOCKS = {Rights.BROWSE: 0, Rights.READ: 100, Rights.WRITE: 1000}
"""Who only reads can never take the last place from those who back up."""


_STORING = timedelta(minutes=5)
"""How long storing what came in may take beyond that."""


@dataclass(frozen=True, slots=True)
class _RequestMandate:
    """The mandate of a request: its sender's rights, and what the audit log tells of it."""

    access: Access
    again: AskAgain
    key: ObjectKey
    verb: str
    upload: Upload | None = None

    def objection(self) -> Exception | None:
        try:
            self.again().require_change(self.key.kind)
            if self.verb == "added":
                _require_place_for_lock(self.access, self.key)
        except (Refusal, quota.QuotaExceededError) as exc:
            return exc
        return None

    def fulfilled(self) -> None:
        quota.release(self.upload)
        _note(self.access, self.key, self.verb)


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


def reserve(access: Access, key: ObjectKey, length: int) -> Upload | None:
    """Before a body is taken in. Raises ``QuotaExceededError``, ``BusyError``."""
    _require_place_for_lock(access, key)
    if key.kind is not FileKind.CONFIG and not _counts(access, key):
        return None
    now = timezone.now()
    until = now + _STORING + timedelta(seconds=longest_seconds(length))
    with catalog.changing(access.vault.pk) as vault:
        return quota.reserve(vault, key, length, now=now, until=until)


def add(
    access: Access,
    again: AskAgain,
    key: ObjectKey,
    file: BinaryIO,
    length: int,
    upload: Upload | None,
) -> Answer:
    """Store a body that came in whole, and has the right name."""
    mandate = _RequestMandate(access, again, key, "added", upload)
    store = stores.of(access.vault)
    objects.add(access.vault, store, key, file, length, mandate=mandate, now=timezone.now())
    return Answer()


def require_name(key: ObjectKey, sha256: str) -> None:
    """Raises ``Refusal`` for a body whose name is not its SHA-256."""
    if key.kind is not FileKind.CONFIG and sha256 != key.name:
        raise Refusal(400, "The name of an object is the SHA-256 of its bytes; this one is not.")


def delete(access: Access, again: AskAgain, key: ObjectKey) -> Answer:
    """Hide the object; a lock goes at once."""
    access.require_change(key.kind)
    line, store = catalog.find(access.vault, key), stores.of(access.vault)
    if line is None:
        raise _absent(key)
    if line.state == State.VISIBLE:
        mandate = _RequestMandate(access, again, key, "hidden")
        try:
            objects.delete(access.vault, store, line, mandate=mandate, now=timezone.now())
        except objects.RefusedError:
            _note(access, key, "deletion_refused", Outcome.REFUSED)
            raise
    elif not objects.finish_deletion(store, line):
        raise _absent(key)
    if key.kind is FileKind.LOCK:
        quota.lock_was_removed(access.vault)
    return Answer()


def refuse_whole(access: Access) -> Answer:
    """``DELETE`` of the repository."""
    _note(access, ObjectKey(FileKind.CONFIG), "deletion_refused", Outcome.REFUSED)
    raise Refusal(403, "A vault cannot be deleted by a device.")


def _counts(access: Access, key: ObjectKey) -> bool:
    return access.vault.quota_bytes is not None and key.kind is not FileKind.LOCK


def _require_place_for_lock(access: Access, key: ObjectKey) -> None:
    if key.kind is FileKind.LOCK:
        quota.require_room_for_lock(access.vault, key, most=_MOST_LOCKS[access.rights])


def _absent(key: ObjectKey) -> Refusal:
    return Refusal(404, f"There is no {key.path} in this vault.")


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
