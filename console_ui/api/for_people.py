"""What people's programs ask: devices, their plans, runs and restore points, the audit log."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from pydantic import Field

from console_ui.accounts.models import Role
from console_ui.accounts.owned import get_owned_or_404
from console_ui.activity import commands, glance
from console_ui.activity.models import Command, CommandKind, Plan, RestorePoint, Run
from console_ui.api import shapes
from console_ui.api.callers import PEOPLE, Caller, caller_of
from console_ui.api.refusals import REFUSALS, Refused
from console_ui.audit.models import Entry
from console_ui.devices.models import Device

router = Router(auth=list(PEOPLE), tags=["people"])

_MOST = 500
_FARTHEST = 1_000_000

_Limit = Annotated[int, Query(), Field(ge=1, le=_MOST)]
_Offset = Annotated[int, Query(), Field(ge=0, le=_FARTHEST)]


class Wish(Schema):
    """What a device is asked to do. ``plan`` is the ``key`` of one of its plans, else its first."""

    kind: Literal["back_up", "stop"]
    plan: uuid.UUID | None = None


@router.get("/devices", response={200: shapes.DeviceList, **REFUSALS})
def devices(request: HttpRequest, limit: _Limit = _MOST, offset: _Offset = 0) -> shapes.DeviceList:
    """All linked devices, by name."""
    rows = glance.judged_devices(caller_of(request).organisation, now=timezone.now())
    page = rows[offset : offset + limit]
    found = [shapes.device_shape(row.device, row.judgement) for row in page]
    return shapes.DeviceList(devices=found, count=len(rows))


@router.get("/devices/{uuid:device_id}", response={200: shapes.DeviceShape, **REFUSALS})
def device(request: HttpRequest, device_id: uuid.UUID) -> shapes.DeviceShape:
    found = _device(caller_of(request), device_id)
    row = glance.judge_one(found, now=timezone.now())
    return shapes.device_shape(row.device, row.judgement)


@router.get("/devices/{uuid:device_id}/plans", response={200: shapes.PlanList, **REFUSALS})
def plans(request: HttpRequest, device_id: uuid.UUID) -> shapes.PlanList:
    found = Plan.objects.filter(device=_device(caller_of(request), device_id))
    return shapes.PlanList(plans=[shapes.plan_shape(plan) for plan in found])


@router.get(
    "/devices/{uuid:device_id}/restore-points", response={200: shapes.PointList, **REFUSALS}
)
def restore_points(
    request: HttpRequest, device_id: uuid.UUID, limit: _Limit = 100, offset: _Offset = 0
) -> shapes.PointList:
    """Those that lie in the device's vault, newest first, as the device told of them."""
    chosen = _device(caller_of(request), device_id)
    found = RestorePoint.objects.filter(device=chosen).in_vault()
    page = found[offset : offset + limit]
    return shapes.PointList(
        restore_points=[shapes.point_shape(point) for point in page], count=found.count()
    )


@router.get("/devices/{uuid:device_id}/events", response={200: shapes.RunList, **REFUSALS})
def device_events(
    request: HttpRequest, device_id: uuid.UUID, limit: _Limit = 100, offset: _Offset = 0
) -> shapes.RunList:
    """The device's runs, newest first; the one that runs has its progress."""
    found = Run.objects.filter(device=_device(caller_of(request), device_id))
    page = found[offset : offset + limit]
    return shapes.RunList(events=[shapes.run_shape(run) for run in page])


@router.get("/events", response={200: shapes.RunList, **REFUSALS})
def events(request: HttpRequest, limit: _Limit = 100, offset: _Offset = 0) -> shapes.RunList:
    """The runs of all devices, newest first."""
    found = Run.objects.filter(device__organisation=caller_of(request).organisation)
    page = found[offset : offset + limit]
    return shapes.RunList(events=[shapes.run_shape(run) for run in page])


@router.get("/devices/{uuid:device_id}/commands", response={200: shapes.CommandList, **REFUSALS})
def asked(request: HttpRequest, device_id: uuid.UUID) -> shapes.CommandList:
    """What the device was asked to do within the last 30 days, newest first."""
    found = Command.objects.filter(device=_device(caller_of(request), device_id))[:_MOST]
    return shapes.CommandList(commands=[shapes.command_shape(each) for each in found])


@router.post("/devices/{uuid:device_id}/commands", response={201: shapes.CommandShape, **REFUSALS})
def ask(request: HttpRequest, device_id: uuid.UUID, wish: Wish) -> Status[shapes.CommandShape]:
    """Ask a device to back up now, or to stop. Operators may."""
    caller = caller_of(request)
    caller.require(Role.OPERATOR)
    found = _device(caller, device_id)
    if wish.plan and not Plan.objects.filter(device=found, key=wish.plan).exists():
        raise Refused(404, "no_such_plan", "The device has told of no plan with this key.")
    command = commands.ask(
        found,
        CommandKind(wish.kind),
        by=caller.actor,
        user=caller.user,
        plan_key=wish.plan,
        now=timezone.now(),
    )
    return Status(201, shapes.command_shape(command))


@router.get("/audit", response={200: shapes.EntryList, **REFUSALS})
def audit(
    request: HttpRequest,
    limit: _Limit = 100,
    before: Annotated[int | None, Query(), Field(ge=1, le=2**62)] = None,
) -> shapes.EntryList:
    """The organisation's audit log, newest first, those ``before`` a sequence number. For
    administrators.
    """
    caller = caller_of(request)
    caller.require(Role.ADMIN)
    found = Entry.objects.filter(organisation_id=caller.organisation.pk)
    if before is not None:
        found = found.filter(sequence__lt=before)
    page = found.order_by("-sequence")[:limit]
    return shapes.EntryList(entries=[shapes.entry_shape(entry) for entry in page])


def _device(caller: Caller, device_id: uuid.UUID) -> Device:
    linked = Device.objects.linked(timezone.now())
    return get_owned_or_404(linked, caller.organisation, device_id)
