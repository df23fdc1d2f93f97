"""Raising and ending alerts: each trouble once, until it is over."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import IntegrityError, transaction

from console_ui.accounts.models import Organisation
from console_ui.alerts import mails
from console_ui.alerts.models import Alert, AlertKind


def raise_alert(
    kind: AlertKind,
    organisation: Organisation,
    *,
    subject_id: uuid.UUID | str,
    subject: str,
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
    Alert.objects.filter(kind__in=kinds, subject_id=str(subject_id), ended_at=None).update(
        ended_at=now
    )
