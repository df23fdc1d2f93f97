"""Asking devices for something. They fetch it, so that nothing need reach into their network."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from console_ui.accounts.models import User
from console_ui.activity.models import Command, CommandKind, CommandState, Report
from console_ui.audit.actor import Actor
from console_ui.audit.record import record
from console_ui.devices.models import Device

LIFE = timedelta(hours=24)
_REMEMBERED = timedelta(days=30)


@transaction.atomic
def ask(
    device: Device,
    kind: CommandKind,
    *,
    by: Actor,
    user: User | None,
    plan_key: uuid.UUID | None = None,
    now: datetime,
) -> Command:
    """The command; the same wish that waits already is not put twice."""
    Command.objects.filter(device=device, asked_at__lt=now - _REMEMBERED).delete()
    same = waiting(device, now=now).filter(kind=kind, plan_key=plan_key).first()
    if same is not None:
        return same
    command = Command.objects.create(
        device=device,
        kind=kind,
        plan_key=plan_key,
        asked_at=now,
        asked_by=user,
        expires_at=now + LIFE,
    )
    Report.objects.update_or_create(device=device, defaults={"changed_at": now})
    record(
        f"device.asked_to_{kind.value}",
        by=by,
        organisation_id=device.organisation_id,
        about=device.name,
    )
    return command


def waiting(device: Device, *, now: datetime) -> QuerySet[Command]:
    """What the device has not taken yet, oldest first."""
    return Command.objects.filter(
        device=device, state=CommandState.WAITING, expires_at__gt=now
    ).order_by("asked_at")


def devices_asked(*, now: datetime) -> set[uuid.UUID]:
    """All devices for which something waits."""
    found = Command.objects.filter(state=CommandState.WAITING, expires_at__gt=now)
    return set(found.values_list("device_id", flat=True))


def answer(device: Device, command_id: uuid.UUID, state: CommandState, message: str) -> bool:
    """What the device made of a command; False for one that is not its own."""
    mine = Command.objects.filter(device=device, pk=command_id)
    if not mine.exists():
        return False
    # An answer that was lost is sent again; what has ended stays as it ended.
    mine.filter(state__in=(CommandState.WAITING, CommandState.TAKEN)).update(
        state=state, message=message
    )
    Report.objects.filter(device=device).update(changed_at=timezone.now())
    return True
