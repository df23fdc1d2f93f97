"""Noticing that a device deletes what nobody would delete, before 14 days have passed.

The gateway cannot tell a prune from ransomware, object by object; but it can count. An alarm
tells every administrator at once, and nothing of the vault is purged before one of them has
confirmed that all is well.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet, Sum

from backup_agent.services.vault import FileKind
from console_ui.accounts.models import User
from console_ui.audit.actor import THE_CONSOLE, Actor
from console_ui.audit.record import record
from console_ui.storage import catalog, notices
from console_ui.storage.expected import unexpected_deletions
from console_ui.storage.models import Alarm, Reason, State, StoredObject, Vault

_A_DAY = timedelta(days=1)
_TOLERATED_PERCENT = 20


def has_open(vault: Vault) -> bool:
    return Alarm.objects.filter(vault=vault, confirmed_at=None).exists()


def watch(vault: Vault, kind: FileKind, *, now: datetime) -> None:
    """Look at what was hidden within the last day, now that something of that kind was."""
    reason = _reason(vault, kind, since=_since(vault, now))
    if reason is not None and not has_open(vault):
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
    """A day ago; but what somebody has confirmed is not told again."""
    confirmed = Alarm.objects.filter(vault=vault).exclude(confirmed_at=None).first()
    day_ago = now - _A_DAY
    if confirmed is None or confirmed.confirmed_at is None:
        return day_ago
    return max(day_ago, confirmed.confirmed_at)


def _reason(vault: Vault, kind: FileKind, *, since: datetime) -> Reason | None:
    match kind:
        case FileKind.KEY:
            return Reason.KEY
        case FileKind.SNAPSHOT if unexpected_deletions(vault, since=since):
            return Reason.RETENTION
        case FileKind.SNAPSHOT:
            hidden = _hidden(vault, kind, since).count()
            kept = catalog.visible(vault, kind).count()
            return Reason.MANY_POINTS if _are_many(hidden, kept) else None
        case FileKind.PACK:
            hidden = _hidden(vault, kind, since).aggregate(sum=Sum("size"))["sum"] or 0
            return Reason.MUCH_DATA if _are_many(hidden, vault.visible_bytes) else None
        case _:
            return None


def _hidden(vault: Vault, kind: FileKind, since: datetime) -> QuerySet[StoredObject]:
    return StoredObject.objects.filter(
        vault=vault, kind=kind.value, state=State.HIDDEN, hidden_at__gt=since
    )


def _are_many(hidden: int, kept: int) -> bool:
    return hidden * 100 > (hidden + kept) * _TOLERATED_PERCENT


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
    except IntegrityError:
        # Another request was faster: one mail is enough.
        return
    notices.alarm(vault, reason)
