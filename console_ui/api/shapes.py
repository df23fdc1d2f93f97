"""What the API answers people's programs with."""

from __future__ import annotations

import uuid
from datetime import datetime

from ninja import Schema

from console_ui.activity.models import Command, Plan, RestorePoint, Run
from console_ui.activity.state import Judgement, last_heard
from console_ui.audit.models import Entry
from console_ui.devices.models import Device


class DeviceShape(Schema):
    """A linked device and how it is. ``state`` is one word of ``activity.state``: "running" only
    where nothing needs attention. ``last_backup_at`` is the last that left a restore point.
    """

    id: uuid.UUID
    name: str
    system: str
    kind: str
    key: str
    linked_at: datetime
    seen_at: datetime | None
    expires_at: datetime | None
    state: str
    is_running: bool
    heard_at: datetime
    agent_version: str
    last_backup_at: datetime | None
    next_run_at: datetime | None


class RunShape(Schema):
    """One run of a plan. Sizes are bytes."""

    id: uuid.UUID
    device_id: uuid.UUID
    plan: str
    outcome: str
    started_at: datetime
    ended_at: datetime | None
    files: int
    bytes_read: int
    bytes_added: int
    omitted: int
    omissions: list[dict[str, str]]
    message: str
    hint: str
    phase: str
    files_done: int
    files_total: int
    bytes_done: int
    bytes_total: int
    progress_at: datetime | None


class PlanShape(Schema):
    """What a device backs up; ``every_hours`` 0: only when asked."""

    key: uuid.UUID
    name: str
    what: str
    every_hours: int
    next_run_at: datetime | None


class PointShape(Schema):
    """A restore point as its device told of it. Sizes are bytes."""

    id: str
    made_at: datetime
    kind: str
    paths: list[str]
    size: int
    added: int
    omitted: int


class CommandShape(Schema):
    """What somebody asked of a device."""

    id: uuid.UUID
    kind: str
    plan: uuid.UUID | None
    state: str
    message: str
    asked_at: datetime
    expires_at: datetime


class EntryShape(Schema):
    """An entry of the audit log."""

    sequence: int
    at: datetime
    action: str
    outcome: str
    actor_kind: str
    actor_name: str
    address: str
    about: str
    details: dict[str, str | int | bool]
    hash: str


class DeviceList(Schema):
    devices: list[DeviceShape]
    count: int


class RunList(Schema):
    events: list[RunShape]


class PlanList(Schema):
    plans: list[PlanShape]


class PointList(Schema):
    restore_points: list[PointShape]
    count: int


class CommandList(Schema):
    commands: list[CommandShape]


class EntryList(Schema):
    entries: list[EntryShape]


def device_shape(device: Device, judgement: Judgement) -> DeviceShape:
    report = getattr(device, "report", None)
    saved = report.last_saved if report else None
    return DeviceShape(
        id=device.pk,
        name=device.name,
        system=device.system,
        kind=device.kind,
        key=device.short_key,
        linked_at=device.linked_at,
        seen_at=device.seen_at,
        expires_at=device.expires_at,
        state=judgement.state.value,
        is_running=judgement.is_running,
        heard_at=last_heard(device, report),
        agent_version=report.agent_version if report else "",
        last_backup_at=saved.ended_at if saved else None,
        next_run_at=report.next_run_at if report else None,
    )


def run_shape(run: Run) -> RunShape:
    return RunShape(
        id=run.pk,
        device_id=run.device_id,
        plan=run.plan_name,
        outcome=run.outcome,
        started_at=run.started_at,
        ended_at=run.ended_at,
        files=run.files,
        bytes_read=run.bytes_read,
        bytes_added=run.bytes_added,
        omitted=run.omitted,
        omissions=run.omissions,
        message=run.message,
        hint=run.hint,
        phase=run.phase,
        files_done=run.files_done,
        files_total=run.files_total,
        bytes_done=run.bytes_done,
        bytes_total=run.bytes_total,
        progress_at=run.progress_at,
    )


def plan_shape(plan: Plan) -> PlanShape:
    return PlanShape(
        key=plan.key,
        name=plan.name,
        what=plan.what,
        every_hours=plan.every_hours,
        next_run_at=plan.next_run_at,
    )


def point_shape(point: RestorePoint) -> PointShape:
    return PointShape(
        id=point.snapshot,
        made_at=point.made_at,
        kind=point.kind,
        paths=point.paths,
        size=point.size,
        added=point.added,
        omitted=point.omitted,
    )


def command_shape(command: Command) -> CommandShape:
    return CommandShape(
        id=command.pk,
        kind=command.kind,
        plan=command.plan_key,
        state=command.state,
        message=command.message,
        asked_at=command.asked_at,
        expires_at=command.expires_at,
    )


def entry_shape(entry: Entry) -> EntryShape:
    return EntryShape(
        sequence=entry.sequence,
        at=entry.at,
        action=entry.action,
        outcome=entry.outcome,
        actor_kind=entry.actor_kind,
        actor_name=entry.actor_name,
        address=entry.address,
        about=entry.about,
        details=entry.details,
        hash=entry.hash,
    )
