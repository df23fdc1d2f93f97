"""All devices of an organisation at a glance: how each is, quickly for hundreds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, QuerySet, prefetch_related_objects

from console_ui.accounts.models import Organisation
from console_ui.activity.models import Plan, Report, Thresholds
from console_ui.activity.state import Judgement, State, judge
from console_ui.devices.models import Device

_AT_HAND = ("linked_by", "report", "report__running", "report__last_ended", "report__last_saved")


@dataclass(frozen=True, slots=True)
class Judged:
    """A device, what it told, and how it is."""

    device: Device
    report: Report | None
    judgement: Judgement

    @property
    def state(self) -> State:
        return self.judgement.state

    @property
    def needs_attention(self) -> bool:
        return self.judgement.settled.needs_attention


def judged_devices(
    organisation: Organisation, *, now: datetime, changed_after: datetime | None = None
) -> list[Judged]:
    """Every linked device, by name, or those that have told something new: two queries for any
    number.
    """
    silent_days = Thresholds.of(organisation).silent_days
    linked = Device.objects.linked(now).of(organisation).select_related(*_AT_HAND)
    linked = linked.prefetch_related(Prefetch("plans", _plans()))
    if changed_after is not None:
        linked = linked.filter(report__changed_at__gt=changed_after)
    return [_judged(device, silent_days, now) for device in linked]


def judge_one(device: Device, *, now: datetime) -> Judged:
    """The same for one device."""
    prefetch_related_objects([device], Prefetch("plans", _plans()))
    silent_days = Thresholds.of(device.organisation).silent_days
    return _judged(device, silent_days, now)


def _judged(device: Device, silent_days: int, now: datetime) -> Judged:
    report: Report | None = getattr(device, "report", None)
    plans = list(device.plans.all())
    return Judged(device, report, judge(device, report, plans, silent_days=silent_days, now=now))


def _plans() -> QuerySet[Plan]:
    """With their last runs, but not with the lists of what those left out."""
    return Plan.objects.select_related("last_run").defer("last_run__omissions")
