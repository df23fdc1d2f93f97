"""Noticing that a device deletes what nobody would delete, before 14 days have passed.

The gateway cannot tell a prune from ransomware, object by object; but it can count. What a vault
held at its best, as far back as it can be brought back, is measured against what is left of that.
An alarm tells every administrator at once, and nothing of the vault is purged before one of them
has confirmed that all is well.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Count, Max

from backup_agent.services.vault import FileKind
from console_ui.accounts.models import User
from console_ui.audit.actor import THE_CONSOLE, Actor
from console_ui.audit.record import record
from console_ui.storage import catalog, notices
from console_ui.storage.deletions import KEPT_FOR, hidden_since
from console_ui.storage.expected import Expectation, expectation_of, rules_of
from console_ui.storage.lost_data import (
    Level,
    levels_of,
    lost_index_files,
    too_much_data_lost,
)
from console_ui.storage.lost_points import too_many_points_lost
from console_ui.storage.models import Alarm, Reason, State, StoredObject, Vault
from console_ui.storage.points import points_since
from console_ui.storage.remembered import Remembered

_A_DAY = timedelta(days=1)
_EVER = datetime.min.replace(tzinfo=UTC)
_TOLERATED_PERCENT = 20
_WATCHED = (FileKind.KEY, FileKind.SNAPSHOT, FileKind.PACK, FileKind.INDEX)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is expected to stay, and how much there was to lose."""

    expected: Expectation = field(default_factory=Expectation)
    levels: tuple[Level, ...] = ()


_outlooks: Remembered[Outlook] = Remembered()


def has_open(vault: Vault) -> bool:
    return Alarm.objects.filter(vault=vault, confirmed_at=None).exists()


def expect(vault: Vault, kind: FileKind, *, now: datetime) -> Outlook:
    """What to measure a deletion of that kind against. To be asked outside the transaction that
    hides: it may take a while.
    """
    if kind not in _WATCHED or kind is FileKind.KEY or has_open(vault):
        return Outlook()
    since, is_about_data = _since(vault, now), kind is not FileKind.SNAPSHOT

    def work_out() -> Outlook:
        points = points_since(vault, since, now=now)
        expected = expectation_of(vault, points, now=now)
        if not is_about_data:
            return Outlook(expected)
        return Outlook(expected, levels_of(vault, points, expected, since=since, now=now))

    basis = is_about_data, _known_since(vault), rules_of(vault)
    basis_of_points = _basis_of_points(vault, since, is_about_data=is_about_data, now=now)
    return _outlooks.of(vault, (*basis, *basis_of_points), work_out, now=now)


def watch(vault: Vault, kind: FileKind, outlook: Outlook, *, now: datetime) -> None:
    """Look at what was hidden, now that something of that kind was.

    To be called in the transaction that hides: its lock on the vault's row makes deletions that
    run side by side count each other, and a crash loses either both or neither.
    """
    if has_open(vault):
        return
    reason = _reason(vault, kind, outlook, now=now)
    if reason is not None:
        _raise(vault, reason, now=now)


def look_again(vault: Vault, *, now: datetime) -> None:
    """Judge what was hidden once more, as time has passed: what seemed an upload that would be
    sent again was not.
    """
    if not StoredObject.objects.filter(vault=vault, state=State.HIDDEN).exists():
        return
    for kind in _WATCHED:
        outlook = expect(vault, kind, now=now)
        with catalog.changing(vault.pk) as current:
            watch(current, kind, outlook, now=now)


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


def _basis_of_points(
    vault: Vault, since: datetime, *, is_about_data: bool, now: datetime
) -> tuple[Hashable, ...]:
    """What changes with the restore points. Which of them to keep is the same before and after
    their deletion; how many are over is not.
    """
    kind = FileKind.SNAPSHOT
    hidden = hidden_since(vault, since, now=now).filter(kind=kind.value)
    there, gone = (
        lines.aggregate(count=Count("pk"), newest=Max("stored_at"))
        for lines in (catalog.visible(vault, kind), hidden)
    )
    newest = max((at for at in (there["newest"], gone["newest"]) if at), default=None)
    if is_about_data:
        return newest, there["count"], gone["count"]
    return newest, there["count"] + gone["count"]


def _since(vault: Vault, now: datetime) -> datetime:
    """As far back as the vault can be brought back; but what somebody has looked at is not told
    again. In a vault of a lost database, what was hidden long ago is still there: for an alarm
    that nobody knows of any more.
    """
    earliest = _EVER if now - vault.made_at < KEPT_FOR else now - KEPT_FOR
    return max(earliest, _known_since(vault) or _EVER)


def _known_since(vault: Vault) -> datetime | None:
    """When somebody has last confirmed an alarm, or brought the vault back."""
    confirmed = Alarm.objects.filter(vault=vault).aggregate(last=Max("confirmed_at"))["last"]
    brought_back = Vault.objects.values_list("brought_back_at", flat=True).get(pk=vault.pk)
    return max((at for at in (confirmed, brought_back) if at is not None), default=None)


def _reason(vault: Vault, kind: FileKind, outlook: Outlook, *, now: datetime) -> Reason | None:
    since = _since(vault, now)
    match kind:
        case FileKind.KEY if hidden_since(vault, since, now=now).filter(kind=kind.value).exists():
            return Reason.KEY
        case FileKind.SNAPSHOT:
            return _reason_in_points(vault, outlook.expected, since=since, now=now)
        case FileKind.PACK if too_much_data_lost(vault, outlook.levels, since=since, now=now):
            return Reason.MUCH_DATA
        case FileKind.INDEX if lost_index_files(vault, outlook.levels, since=since, now=now):
            return Reason.INDEX
        case _:
            return None


def _reason_in_points(
    vault: Vault, expected: Expectation, *, since: datetime, now: datetime
) -> Reason | None:
    points = points_since(vault, since, now=now)
    # A retention that was changed since does not judge what went before.
    lately = [p for p in points if p.hidden_at is None or now - p.hidden_at < _A_DAY]
    if expected.missed(lately):
        return Reason.RETENTION
    if too_many_points_lost(vault, points, expected, now=now, percent=_TOLERATED_PERCENT):
        return Reason.MANY_POINTS
    return None


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
