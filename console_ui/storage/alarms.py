"""Noticing that a device deletes what nobody would delete, before 14 days have passed.

The gateway cannot tell a prune from ransomware, object by object; but it can count. An alarm
tells every administrator at once, and nothing of the vault is purged before one of them has
confirmed that all is well.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Max

from backup_agent.services.vault import FileKind
from console_ui.accounts.models import User
from console_ui.audit.actor import THE_CONSOLE, Actor
from console_ui.audit.record import record
from console_ui.storage import notices
from console_ui.storage.deletions import (
    Loss,
    hidden_since,
    is_no_prune,
    lost_bytes,
    lost_index_files,
)
from console_ui.storage.expected import Expectation, expectations
from console_ui.storage.lost_points import too_many_points_lost
from console_ui.storage.models import Alarm, Reason, Vault

_A_DAY = timedelta(days=1)
_TOLERATED_PERCENT = 20


def has_open(vault: Vault) -> bool:
    return Alarm.objects.filter(vault=vault, confirmed_at=None).exists()


def expect(vault: Vault, kind: FileKind, *, now: datetime) -> Expectation:
    """What nobody should delete of that kind. To be asked outside the transaction that hides:
    it may take a while.
    """
    if kind is not FileKind.SNAPSHOT or has_open(vault):
        return Expectation()
    return expectations.of(vault, since=_since(vault, now))


def watch(vault: Vault, kind: FileKind, expected: Expectation, *, now: datetime) -> None:
    """Look at what was hidden within the last day, now that something of that kind was.

    To be called in the transaction that hides: its lock on the vault's row makes deletions that
    run side by side count each other, and a crash loses either both or neither.
    """
    if has_open(vault):
        return
    reason = _reason(vault, kind, expected, now=now)
    if reason is not None:
        _raise(vault, reason, now=now)


def confirm(alarm: Alarm, user: User, *, by: Actor, now: datetime) -> None:
    """A person has looked: purging may go on."""
    done = Alarm.objects.filter(pk=alarm.pk, confirmed_at=None).update(
        confirmed_at=now, confirmed_by=user
    )
    if done:
        record(
            "vault.alarm_confirmed",
            by=by,
            organisation_id=alarm.vault.organisation_id,
            about=alarm.vault.name,
            details={"reason": alarm.reason},
        )


def _since(vault: Vault, now: datetime) -> datetime:
    """A day ago; but what somebody has confirmed is not told again, nor what a bring-back hid."""
    confirmed = Alarm.objects.filter(vault=vault).aggregate(last=Max("confirmed_at"))["last"]
    brought_back = Vault.objects.values_list("brought_back_at", flat=True).get(pk=vault.pk)
    return max(at for at in (now - _A_DAY, confirmed, brought_back) if at is not None)


def _reason(vault: Vault, kind: FileKind, expected: Expectation, *, now: datetime) -> Reason | None:
    since = _since(vault, now)
    match kind:
        case FileKind.KEY if hidden_since(vault, since).filter(kind=kind.value).exists():
            return Reason.KEY
        case FileKind.SNAPSHOT if expected.missed(vault, since=since):
            return Reason.RETENTION
        case FileKind.SNAPSHOT if too_many_points_lost(vault, since, percent=_TOLERATED_PERCENT):
            return Reason.MANY_POINTS
        case FileKind.PACK if _is_much(lost_bytes(vault, since)):
            return Reason.MUCH_DATA
        case FileKind.INDEX if lost_index_files(vault, since, replaced_since=now - _A_DAY):
            return Reason.INDEX
        case _:
            return None


def _is_much(loss: Loss) -> bool:
    return loss.exceeds(_TOLERATED_PERCENT) or is_no_prune(loss)


def _raise(vault: Vault, reason: Reason, *, now: datetime) -> None:
    try:
        with transaction.atomic():
            Alarm.objects.create(vault=vault, reason=reason, raised_at=now)
            record(
                "vault.alarm_raised",
                by=THE_CONSOLE,
                organisation_id=vault.organisation_id,
                about=vault.name,
                details={"reason": reason.value},
            )
            notices.alarm(vault, reason)
    except IntegrityError:
        # Another request was faster: one mail is enough.
        return
