"""How a device is: as well as the worst of its plans, and never better than what is known."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from console_ui.activity.glance import judge_one
from console_ui.activity.state import State
from console_ui.devices.models import Device
from tests.console.people import Office
from tests.console.reporting import plan, reporting_device, started

DISK, MAIL, PHOTOS = (str(uuid.UUID(int=n)) for n in (1, 2, 3))


def state_of(device: Device, *, in_days: int = 0) -> State:
    fresh = Device.objects.get(pk=device.pk)
    return judge_one(fresh, now=timezone.now() + timedelta(days=in_days)).state


def test_a_device_is_protected_by_a_backup_and_silent_after_a_week(office: Office) -> None:
    device = reporting_device(office)
    assert state_of(device.row) is State.NOTHING_YET

    device.runs("done")

    assert state_of(device.row) is State.PROTECTED
    assert state_of(device.row, in_days=6) is State.PROTECTED
    assert state_of(device.row, in_days=8) is State.SILENT


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ("incomplete", State.WARNING),
        ("failed", State.FAILED),
        ("broken_off", State.FAILED),
        ("stopped", State.PROTECTED),
    ],
)
def test_the_last_run_decides_and_a_stop_by_hand_is_no_trouble(
    office: Office, outcome: str, state: State
) -> None:
    device = reporting_device(office)
    device.runs("done", ago=timedelta(hours=2))

    device.runs(outcome)

    assert state_of(device.row) is state


def test_a_plan_that_is_a_day_late_is_overdue(office: Office) -> None:
    device = reporting_device(office)
    device.heartbeat(plan(key=DISK, next_run_at=timezone.now().isoformat()))
    device.runs("done", plan=DISK)

    assert state_of(device.row) is State.PROTECTED
    assert state_of(device.row, in_days=2) is State.OVERDUE


def test_a_run_that_went_silent_is_not_shown_as_running(office: Office) -> None:
    device = reporting_device(office)
    device.events(started(str(uuid.uuid4()), timezone.now()))

    assert state_of(device.row) is State.RUNNING
    assert state_of(device.row, in_days=1) is State.NOTHING_YET


def test_one_good_plan_does_not_make_the_others_good(office: Office) -> None:
    device = reporting_device(office)
    device.heartbeat(plan("Disk", key=DISK), plan("Mail", key=MAIL), plan("Photos", key=PHOTOS))

    device.runs("incomplete", plan=DISK, omitted=298, ago=timedelta(hours=1))
    device.runs("done", plan=MAIL)

    assert state_of(device.row) is State.WARNING
    device.runs("done", plan=DISK)
    assert state_of(device.row) is State.PARTLY
    device.runs("done", plan=PHOTOS)
    assert state_of(device.row) is State.PROTECTED


@pytest.mark.parametrize(
    ("outcome", "state"), [("failed", State.FAILED), ("incomplete", State.WARNING)]
)
def test_a_stop_by_hand_does_not_mend_what_went_wrong(
    office: Office, outcome: str, state: State
) -> None:
    device = reporting_device(office)
    device.heartbeat(plan(key=DISK))
    device.runs("done", plan=DISK, ago=timedelta(hours=2))
    device.runs(outcome, plan=DISK, ago=timedelta(hours=1))

    device.runs("stopped", plan=DISK)

    assert state_of(device.row) is state


def test_a_plan_that_was_only_ever_stopped_has_no_backup(office: Office) -> None:
    device = reporting_device(office)
    device.heartbeat(plan(key=DISK))

    device.runs("stopped", plan=DISK)

    assert state_of(device.row) is State.NOTHING_YET


def test_a_plan_that_is_late_is_seen_beside_one_that_is_not(office: Office) -> None:
    device = reporting_device(office)
    past, later = (timezone.now() + timedelta(days=days) for days in (-2, 1))
    device.heartbeat(
        plan("Disk", key=DISK, next_run_at=past.isoformat()),
        plan("Mail", key=MAIL, next_run_at=later.isoformat()),
    )
    device.runs("done", plan=DISK, ago=timedelta(days=3))
    device.runs("done", plan=MAIL)

    assert state_of(device.row) is State.OVERDUE


def test_a_backup_that_runs_hides_no_trouble(office: Office) -> None:
    device = reporting_device(office)
    device.heartbeat(plan(key=DISK))
    device.runs("failed", plan=DISK)

    device.events(started(str(uuid.uuid4()), timezone.now()))

    judged = judge_one(Device.objects.get(pk=device.row.pk), now=timezone.now())
    assert judged.judgement.is_running
    assert judged.state is State.FAILED


def test_a_run_that_is_told_before_its_plan_counts_for_it(office: Office) -> None:
    device = reporting_device(office)
    device.runs("failed", plan=DISK)

    device.heartbeat(plan(key=DISK))

    assert state_of(device.row) is State.FAILED


def test_news_of_long_ago_do_not_change_how_a_plan_is(office: Office) -> None:
    device = reporting_device(office)
    device.heartbeat(plan(key=DISK))
    device.runs("failed", plan=DISK)

    device.runs("done", plan=DISK, ago=timedelta(days=1))

    assert state_of(device.row) is State.FAILED


def test_a_device_whose_plans_are_all_gone_is_not_protected_by_what_they_left(
    office: Office,
) -> None:
    device = reporting_device(office)
    device.heartbeat(plan(key=DISK))
    device.runs("done", plan=DISK)
    assert state_of(device.row) is State.PROTECTED

    device.heartbeat()

    assert state_of(device.row) is State.NO_PLAN
