"""From what happens elsewhere to alerts."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from django.db.models.signals import post_save
from django.utils import timezone

from console_ui.accounts.models import Organisation
from console_ui.activity.models import Outcome, Plan, Run
from console_ui.activity.reports import plans_gone, run_ended
from console_ui.alerts.models import OF_PLANS, AlertKind
from console_ui.alerts.outlived import end_outlived
from console_ui.alerts.raising import end_alerts, end_plan_alerts, raise_alert
from console_ui.audit.models import Entry
from console_ui.devices.models import Device

_FACTOR_CHANGES = frozenset(
    {
        "second_factor.added",
        "second_factor.removed",
        "second_factor.reset",
        "recovery_codes.renewed",
    }
)


def begin() -> None:
    """Listen from now on."""
    run_ended.connect(_hear_run, sender=Run, dispatch_uid="alerts")
    plans_gone.connect(_hear_plans_gone, sender=Plan, dispatch_uid="alerts")
    post_save.connect(_hear_entry, sender=Entry, dispatch_uid="alerts")


def _hear_run(sender: type[Run], run: Run, **_more: object) -> None:
    del sender
    now, device = timezone.now(), run.device
    end_alerts(AlertKind.SILENT, subject_id=device.pk, now=now)
    match Outcome(run.outcome):
        case Outcome.DONE:
            end_plan_alerts(device.pk, [run.plan_key], *OF_PLANS, now=now)
            return
        case Outcome.INCOMPLETE:
            end_plan_alerts(device.pk, [run.plan_key], AlertKind.FAILED, now=now)
            kind = AlertKind.OMISSIONS
        case Outcome.FAILED | Outcome.BROKEN_OFF:
            kind = AlertKind.FAILED
        case Outcome.STOPPED | Outcome.RUNNING:
            # Somebody wanted that.
            return
    raise_alert(
        kind,
        device.organisation,
        subject_id=device.pk,
        subject=device.name,
        plan_key=run.plan_key,
        plan_name=run.plan_name if run.plan_key else "",
        number=run.omitted,
        detail=run.message,
        now=now,
    )


def _hear_plans_gone(
    sender: type[Plan], device: Device, keys: Collection[uuid.UUID], **_more: object
) -> None:
    del sender
    end_plan_alerts(device.pk, keys, *OF_PLANS, now=timezone.now())


def _hear_entry(sender: type[Entry], instance: Entry, *, created: bool, **_more: object) -> None:
    del sender
    organisation = Organisation.objects.filter(pk=instance.organisation_id).first()
    if not created or organisation is None:
        return
    if instance.action == "device.removed":
        end_outlived(organisation, now=instance.at)
        return
    if instance.action == "device.linked":
        # A device is the actor of its own linking.
        kind, subject_id, subject = AlertKind.DEVICE_LINKED, instance.actor_id, instance.about
    elif instance.action in _FACTOR_CHANGES:
        person = instance.about or instance.actor_name
        kind, subject_id, subject = AlertKind.FACTOR_CHANGED, instance.actor_id, person
    else:
        return
    raise_alert(kind, organisation, subject_id=subject_id, subject=subject, now=instance.at)
