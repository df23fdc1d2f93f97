"""Taking down what devices tell. Everything may arrive twice, late, or never."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

from django.db import transaction
from django.db.models import Max, Q
from django.db.models.signals import post_save
from django.dispatch import Signal
from django.utils import timezone

from console_ui.activity.models import (
    WITHOUT_VERDICT,
    Outcome,
    Plan,
    Report,
    RestorePoint,
    Run,
)
from console_ui.activity.told import Event, Heartbeat, RunEnded, RunStarted, ToldPlan, ToldProgress
from console_ui.devices import tokens
from console_ui.devices.models import Device

_TOLD_FIELDS = ("name", "what", "every_hours", "next_run_at")

run_ended = Signal()
"""Sent once for each run, within its transaction, with ``run``."""

plans_gone = Signal()
"""Sent within the transaction, with ``device`` and the ``keys`` of plans that it has no more."""


def begin() -> None:
    """Listen for new devices from now on: open pages show them though they have told nothing."""
    post_save.connect(_hear_device, sender=Device, dispatch_uid="activity")


def _hear_device(sender: type[Device], instance: Device, *, created: bool, **_more: object) -> None:
    del sender
    if created:
        Report.objects.create(device=instance, changed_at=timezone.now())


@transaction.atomic
def take_heartbeat(device: Device, told: Heartbeat, *, address: str, now: datetime) -> None:
    """The device lives, at ``address``, and these are its plans.

    Every device does this every minute, so what has not changed is not written.
    """
    tokens.note_seen(device, address=address, now=now)
    _take_plans(device, told.plans)
    runs = [plan.next_run_at for plan in told.plans if plan.next_run_at is not None]
    _note(
        device,
        now,
        heard_at=now,
        agent_version=told.agent_version,
        next_run_at=min(runs, default=None),
    )


@transaction.atomic
def take_events(device: Device, events: Iterable[Event], *, now: datetime) -> None:
    """All of them or none; an event that is known already changes nothing."""
    for event in events:
        match event:
            case RunStarted():
                _take_start(device, event, now)
            case RunEnded():
                _take_end(device, event, now)
            case _:
                assert_never(event)


@transaction.atomic
def take_progress(device: Device, told: ToldProgress, *, now: datetime) -> bool:
    """Whether the run is known and still runs: late news of an ended one changes nothing."""
    taken = Run.objects.filter(device=device, key=told.run, outcome=Outcome.RUNNING).update(
        phase=told.phase,
        files_done=told.files_done,
        files_total=told.files_total,
        bytes_done=told.bytes_done,
        bytes_total=told.bytes_total,
        progress_at=now,
    )
    if taken:
        Report.objects.filter(device=device).update(heard_at=now, changed_at=now)
    return taken > 0


def latest_change() -> datetime | None:
    """When any device told anything last."""
    latest: datetime | None = Report.objects.aggregate(latest=Max("changed_at"))["latest"]
    return latest


def _note(device: Device, now: datetime, **told: object) -> None:
    """Most devices have a row already: one statement."""
    if not Report.objects.filter(device=device).update(changed_at=now, **told):
        Report.objects.update_or_create(device=device, defaults={"changed_at": now, **told})


def _take_plans(device: Device, plans: tuple[ToldPlan, ...]) -> None:
    known = {plan.key: plan for plan in Plan.objects.filter(device=device)}
    told = {plan.key: _told_plan(device, plan) for plan in plans}
    if gone := known.keys() - told.keys():
        Plan.objects.filter(device=device, key__in=gone).delete()
        plans_gone.send(Plan, device=device, keys=gone)
    changed = [
        plan
        for key, plan in told.items()
        if key not in known or any(getattr(known[key], f) != getattr(plan, f) for f in _TOLD_FIELDS)
    ]
    if changed:
        Plan.objects.bulk_create(
            changed,
            update_conflicts=True,
            unique_fields=["device", "key"],
            update_fields=_TOLD_FIELDS,
        )
    for key in told.keys() - known.keys():
        _find_last_run(device, key)


def _find_last_run(device: Device, key: uuid.UUID) -> None:
    """A run may be told before its plan is."""
    found = Run.objects.filter(device=device, plan_key=key).exclude(outcome__in=WITHOUT_VERDICT)
    if last := found.order_by("-started_at").first():
        Plan.objects.filter(device=device, key=key).update(last_run=last)


def _told_plan(device: Device, told: ToldPlan) -> Plan:
    return Plan(
        device=device,
        key=told.key,
        name=told.name,
        what=told.what,
        every_hours=told.every_hours,
        next_run_at=told.next_run_at,
    )


def _take_start(device: Device, event: RunStarted, now: datetime) -> None:
    run, is_new = Run.objects.get_or_create(
        device=device,
        key=event.run,
        defaults={
            "plan_key": event.plan,
            "plan_name": event.plan_name,
            "started_at": event.at,
            "progress_at": now,
        },
    )
    if is_new:
        _note(device, now, heard_at=now, running=run)


def _take_end(device: Device, event: RunEnded, now: datetime) -> None:
    # One that is known to have ended is told again because our answer was lost.
    if Run.objects.filter(device=device, key=event.run).exclude(outcome=Outcome.RUNNING).exists():
        return
    run, _is_new = Run.objects.update_or_create(
        device=device,
        key=event.run,
        defaults={
            "plan_key": event.plan,
            "plan_name": event.plan_name,
            "started_at": event.started_at,
            "ended_at": event.at,
            "outcome": event.outcome,
            "files": event.files,
            "bytes_read": event.bytes_read,
            "bytes_added": event.bytes_added,
            "omitted": event.omitted,
            "omissions": [{"path": o.path, "reason": o.reason} for o in event.omissions],
            "message": event.message,
            "hint": event.hint,
        },
    )
    if event.point is not None:
        RestorePoint.objects.get_or_create(
            device=device,
            snapshot=event.point.snapshot,
            defaults={
                "made_at": event.point.made_at,
                "kind": event.point.kind,
                "paths": list(event.point.paths),
                "size": event.bytes_read,
                "added": event.bytes_added,
                "omitted": event.omitted,
            },
        )
    _note_end(device, run, now)
    if run.plan_key is not None and run.outcome not in WITHOUT_VERDICT:
        _note_verdict(run, run.plan_key)
    run_ended.send(Run, run=run)


def _note_end(device: Device, run: Run, now: datetime) -> None:
    """What was told late (a console that was down) does not replace what is newer."""
    report, _is_new = Report.objects.select_for_update().get_or_create(
        device=device, defaults={"changed_at": now}
    )
    report.heard_at = report.changed_at = now
    if report.running is not None and report.running.started_at <= run.started_at:
        report.running = None
    if report.last_ended is None or report.last_ended.started_at <= run.started_at:
        report.last_ended = run
    is_newer = report.last_saved is None or report.last_saved.started_at <= run.started_at
    if run.has_saved and is_newer:
        report.last_saved = run
    report.save()


def _note_verdict(run: Run, plan_key: uuid.UUID) -> None:
    known = Plan.objects.filter(device=run.device, key=plan_key)
    older = Q(last_run=None) | Q(last_run__started_at__lte=run.started_at)
    known.filter(older).update(last_run=run)
