"""Raising and ending alerts: each trouble once, until it is over."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from console_ui.accounts.models import Organisation
from console_ui.alerts import mails
from console_ui.alerts.models import Alert, AlertKind


def raise_alert(
    kind: AlertKind,
    organisation: Organisation,
    *,
    subject_id: uuid.UUID | str,
    subject: str,
    plan_key: uuid.UUID | None = None,
    plan_name: str = "",
    number: int = 0,
    detail: str = "",
    now: datetime,
) -> None:
    """Nothing happens where the same trouble lasts already."""
    try:
        with transaction.atomic():
            alert = Alert.objects.create(
                organisation=organisation,
                kind=kind,
                subject_id=str(subject_id),
                subject=subject,
                plan_key=_told(plan_key),
                plan_name=plan_name,
                number=number,
                detail=detail,
                raised_at=now,
                ended_at=None if kind.lasts else now,
            )
    except IntegrityError:
        return
    # Into the outbox of the same transaction: either both are there after a crash or neither.
    mails.tell(alert)


def end_alerts(*kinds: AlertKind, subject_id: uuid.UUID | str, now: datetime) -> None:
    """The trouble is over; the alert stays in the list as one of the past."""
    _lasting(kinds, subject_id).update(ended_at=now)


def end_plan_alerts(
    device_id: uuid.UUID, plan_keys: Iterable[uuid.UUID | None], *kinds: AlertKind, now: datetime
) -> None:
    """Those of these plans, and no other plan's; None stands for runs that name no plan."""
    keys = [_told(key) for key in plan_keys]
    _lasting(kinds, device_id).filter(plan_key__in=keys).update(ended_at=now)


def _lasting(kinds: Collection[AlertKind], subject_id: uuid.UUID | str) -> QuerySet[Alert]:
    return Alert.objects.filter(kind__in=kinds, subject_id=str(subject_id), ended_at=None)


def _told(plan_key: uuid.UUID | None) -> str:
    return str(plan_key) if plan_key else ""
