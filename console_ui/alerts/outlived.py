"""Alerts that outlive what they are about: a device or a plan that is gone cannot end them."""

from __future__ import annotations

from datetime import datetime, timedelta

from console_ui.accounts.models import Organisation
from console_ui.activity.models import Plan
from console_ui.alerts.models import OF_PLANS, Alert, AlertKind
from console_ui.devices.models import Device

# A plan's first run may be told before the plan itself is.
_PLAN_IS_TOLD_WITHIN = timedelta(hours=1)


def end_outlived(organisation: Organisation, *, now: datetime) -> None:
    """End those of devices that were removed, and of plans that their device has no more."""
    lasting = Alert.objects.of(organisation).filter(
        kind__in=(AlertKind.SILENT, *OF_PLANS), ended_at=None
    )
    linked = Device.objects.linked(now).of(organisation)
    devices = {str(pk) for pk in linked.values_list("pk", flat=True)}
    told = Plan.objects.filter(device__in=linked).values_list("device_id", "key")
    plans = {(str(device), str(key)) for device, key in told}
    over = [
        alert.pk
        for alert in lasting
        if alert.subject_id not in devices
        or (
            alert.plan_key
            and (alert.subject_id, alert.plan_key) not in plans
            and now - alert.raised_at > _PLAN_IS_TOLD_WITHIN
        )
    ]
    Alert.objects.filter(pk__in=over).update(ended_at=now)
