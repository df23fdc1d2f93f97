"""From what happens elsewhere to alerts."""

from __future__ import annotations

from django.db.models.signals import post_save
from django.utils import timezone

from console_ui.accounts.models import Organisation
from console_ui.activity.models import Outcome, Run
from console_ui.activity.reports import run_ended
from console_ui.alerts.models import AlertKind
from console_ui.alerts.raising import end_alerts, raise_alert
from console_ui.audit.models import Entry

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
    post_save.connect(_hear_entry, sender=Entry, dispatch_uid="alerts")


def _hear_run(sender: type[Run], run: Run, **_more: object) -> None:
    del sender
    now, device = timezone.now(), run.device
    end_alerts(AlertKind.SILENT, subject_id=device.pk, now=now)
    match Outcome(run.outcome):
        case Outcome.DONE:
            end_alerts(AlertKind.FAILED, AlertKind.OMISSIONS, subject_id=device.pk, now=now)
            return
        case Outcome.INCOMPLETE:
            end_alerts(AlertKind.FAILED, subject_id=device.pk, now=now)
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
        number=run.omitted,
        detail=run.message,
        now=now,
    )


def _hear_entry(sender: type[Entry], instance: Entry, *, created: bool, **_more: object) -> None:
    del sender
    organisation = Organisation.objects.filter(pk=instance.organisation_id).first()
    if not created or organisation is None:
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
