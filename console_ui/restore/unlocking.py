"""Unlocking a vault for one session, reaching what was unlocked, and locking it again."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete
from django.http import HttpRequest
from django.utils import timezone

from backup_agent.errors import EverbootError
from console_ui.accounts import throttle
from console_ui.accounts.request import MemberRequest, actor_of
from console_ui.accounts.sessions import LONGEST, row_key
from console_ui.accounts.throttle import Blocked, Rule
from console_ui.audit.record import Outcome, record
from console_ui.django_settings import console_settings
from console_ui.restore.models import UnlockedVault
from console_ui.storage.models import Vault
from console_ui.unlocked.asking import UnlockedDoor, VaultLockedError
from console_ui.unlocked.messages import AskZip, Done, Lock, Opening, ZipState
from console_ui.unlocked.starting import UnfitPasswordError, processes

IDLE = timedelta(minutes=15)
_NOTED_EVERY = timedelta(minutes=1)
_MOST_UNLOCKED = 64
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (compared with, not bound)

_TRIES = Rule(
    name="unlock",
    free=10,
    window=timedelta(minutes=15),
    first_wait=timedelta(seconds=10),
    longest=timedelta(minutes=15),
)


class TooManyUnlockedError(EverbootError):
    """Each takes a process and its memory."""

    code = "restore.too_many_unlocked"


def unlock(request: MemberRequest, vault: Vault, password: str, *, by: str) -> Blocked | None:
    """Start the process that holds the vault's key for this session. ``by``: whose password it is.

    None when it is open; ``Blocked`` after too many wrong passwords. Raises
    ``UnfitPasswordError``, ``UnlockingFailedError``, ``TooManyUnlockedError``.
    """
    subject = f"{request.user.pk} {vault.pk}"
    if blocked := throttle.attempt(_TRIES, subject):
        return blocked
    row = _prepared(request, vault)
    try:
        processes.start(_opening(row, password))
    except EverbootError as exc:
        row.delete()
        if isinstance(exc, UnfitPasswordError):
            _note(request, vault, by, refused=True)
        raise
    throttle.succeeded(_TRIES, subject)
    _note(request, vault, by)
    return None


def door_of(request: HttpRequest, vault: Vault) -> UnlockedDoor | None:
    """How to ask what this session has unlocked; None while the vault is locked."""
    now = timezone.now()
    found = UnlockedVault.objects.filter(
        session_id=_session(request), vault=vault, used_at__gt=now - IDLE
    ).first()
    if found is None:
        return None
    if found.used_at < now - _NOTED_EVERY:
        note_use(found.pk)
    return _door(found)


def is_open(request: HttpRequest, vault: Vault) -> bool:
    """Whether this session has the vault unlocked, and its process answers."""
    door = door_of(request, vault)
    if door is None:
        return False
    try:
        door.ask(AskZip(selection=""), ZipState)
    except VaultLockedError:
        return False
    return True


def note_use(name: uuid.UUID | str) -> None:
    """A download goes on, or somebody clicked."""
    UnlockedVault.objects.filter(pk=name).update(used_at=timezone.now())


def lock(request: HttpRequest, vault: Vault) -> None:
    """Forget the key, in this session."""
    for found in UnlockedVault.objects.filter(session_id=_session(request), vault=vault):
        _lock(found)


def watch_sessions() -> None:
    """From here on, what a session has unlocked is locked when the session ends."""
    user_logged_out.connect(_logged_out, dispatch_uid="restore.logged_out")
    post_delete.connect(_row_gone, sender=UnlockedVault, dispatch_uid="restore.row_gone")


def _logged_out(*, request: HttpRequest, **_: Any) -> None:
    for found in UnlockedVault.objects.filter(session_id=_session(request)):
        _lock(found)


def _row_gone(*, instance: UnlockedVault, **_: Any) -> None:
    """Whichever way a session ended; outside the transaction, for a process may take its time."""
    transaction.on_commit(lambda: _end(instance))


def _lock(unlocked: UnlockedVault) -> None:
    # First the process: while its row is there, whoever cannot end it knows of it.
    _end(unlocked)
    unlocked.delete()


def _end(unlocked: UnlockedVault) -> None:
    with suppress(EverbootError):
        _door(unlocked).ask(Lock(), Done)
    processes.end(unlocked.id.hex)
    # One that crashed has left its socket behind.
    (console_settings().unlocked_folder / unlocked.id.hex).unlink(missing_ok=True)


def _prepared(request: MemberRequest, vault: Vault) -> UnlockedVault:
    """The row comes first: the process is let into the vault by it."""
    lock(request, vault)
    now = timezone.now()
    for old in UnlockedVault.objects.filter(used_at__lte=now - IDLE):
        _lock(old)
    if UnlockedVault.objects.count() >= _MOST_UNLOCKED:
        raise TooManyUnlockedError(
            "Too many vaults are unlocked at this moment.",
            hint="Try again in a quarter of an hour, or lock one of yours.",
        )
    return UnlockedVault.objects.create(
        session_id=_session(request), vault=vault, user=request.user, unlocked_at=now, used_at=now
    )


def _opening(row: UnlockedVault, password: str) -> Opening:
    settings = console_settings()
    folder = settings.unlocked_folder
    folder.mkdir(mode=0o700, exist_ok=True)
    certificate = settings.tls.certificate.read_text() if settings.tls else ""
    return Opening(
        address=f"rest:{_own_address()}/storage/{row.vault_id}/",
        token=row.token,
        certificate=certificate,
        password=password,
        folder=str(folder),
        name=row.id.hex,
        secret=row.secret,
        idle_seconds=IDLE.total_seconds(),
        longest_seconds=LONGEST.total_seconds(),
    )


def _own_address() -> str:
    """Where this console listens, as seen from its own host: not by way of any proxy."""
    settings = console_settings()
    host = _EVERYWHERE.get(settings.listen, settings.listen)
    with suppress(ValueError):
        host = f"[{host}]" if ip_address(host).version == 6 else host
    scheme = "https" if settings.tls else "http"
    return f"{scheme}://{host}:{settings.port}"


def _door(row: UnlockedVault) -> UnlockedDoor:
    return UnlockedDoor(console_settings().unlocked_folder, row.id.hex, row.secret)


def _session(request: HttpRequest) -> str:
    return row_key(request.session.session_key or "")


def _note(request: MemberRequest, vault: Vault, by: str, *, refused: bool = False) -> None:
    record(
        "vault.unlock_refused" if refused else "vault.unlocked",
        by=actor_of(request),
        organisation_id=vault.organisation_id,
        about=vault.name,
        outcome=Outcome.REFUSED if refused else Outcome.DONE,
        details={"vault": str(vault.pk), "opened_with": by},
    )
