"""Which deletions raise an alarm, and how far back a vault can be brought."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from django.core import mail as django_mail
from django.db import connections, transaction
from django.utils import timezone
from pytest_django import Settings

from backup_agent.errors import UsageError
from backup_agent.model import retention
from backup_agent.model.retention import ForgetPlan, RetentionPolicy
from backup_agent.model.snapshot import Snapshot
from backup_agent.services.vault import FileKind
from console_ui.accounts.request import person
from console_ui.storage import alarms, bringing_back, catalog, expected, lost_data, notices
from console_ui.storage.models import Alarm, Reason, State, StoredObject, Vault
from console_ui.storage.purge import purge
from console_ui.storage.stores import stores
from console_ui.web import mail
from tests.console import alarmed
from tests.console.alarmed import make_old_vault
from tests.console.gateways import delete_object

DAY = timedelta(days=1)


@pytest.fixture
def vault(transactional_db: None, tmp_path: Path, settings: Settings) -> Vault:
    """A year old, and without a retention, for tests that are about something else."""
    return make_old_vault(tmp_path, settings)


def store(
    vault: Vault, kind: FileKind, text: str, *, age: timedelta = 3 * DAY, size: int = 0
) -> StoredObject:
    return alarmed.store(vault, kind, text, age=age, size=size)


def store_points(vault: Vault, count: int, *, age: timedelta = 3 * DAY) -> list[StoredObject]:
    return [store(vault, FileKind.SNAPSHOT, f"{n}, {age}", age=age) for n in range(count)]


def hide(vault: Vault, *lines: StoredObject, at: datetime | None = None) -> None:
    for line in lines:
        delete_object(vault, line, at=at or timezone.now())


def reasons(vault: Vault) -> list[str]:
    return list(Alarm.objects.filter(vault=vault).values_list("reason", flat=True))


def confirm_all(vault: Vault, at: datetime) -> None:
    owner = vault.organisation.memberships.get(role="owner").user
    for alarm in Alarm.objects.filter(vault=vault, confirmed_at=None):
        alarms.confirm(alarm, owner, by=person(owner), now=at)


def bring_back(vault: Vault, moment: datetime, *, now: datetime | None = None) -> None:
    now = now or timezone.now()
    assert bringing_back.wish(vault, bringing_back.plan(vault, moment, now=now))
    vault.refresh_from_db()
    bringing_back.carry_out(vault, stores.of(vault), now=now)
    vault.refresh_from_db()


def test_a_fifth_of_the_restore_points_may_go_in_a_day(vault: Vault) -> None:
    points = store_points(vault, 10)

    hide(vault, *points[:2])
    assert reasons(vault) == []

    hide(vault, points[2])
    assert reasons(vault) == [Reason.MANY_POINTS]


def test_fresh_rubbish_does_not_hide_that_restore_points_go(vault: Vault) -> None:
    points = store_points(vault, 10)
    store_points(vault, 40, age=timedelta(hours=1))

    hide(vault, *points[:3])

    assert reasons(vault) == [Reason.MANY_POINTS]


def test_the_first_day_s_restore_points_do_not_go_behind_one_of_rubbish(vault: Vault) -> None:
    Vault.objects.update(keep_daily=7)
    vault.refresh_from_db()
    points = store_points(vault, 5, age=timedelta(hours=2))
    store(vault, FileKind.SNAPSHOT, "rubbish", age=timedelta(0))

    hide(vault, *points)

    assert reasons(vault) == [Reason.MANY_POINTS]


def test_much_rubbish_stored_later_does_not_make_a_first_day_s_loss_small(vault: Vault) -> None:
    points = store_points(vault, 5, age=timedelta(hours=2))
    store_points(vault, 60, age=timedelta(hours=1))

    hide(vault, *points)

    assert reasons(vault) == [Reason.MANY_POINTS]


def test_years_copied_today_into_an_older_vault_are_watched(vault: Vault) -> None:
    Vault.objects.update(keep_daily=7)
    vault.refresh_from_db()
    store_points(vault, 3)
    copied = store_points(vault, 40, age=timedelta(hours=2))
    store(vault, FileKind.SNAPSHOT, "rubbish", age=timedelta(0))

    hide(vault, *copied)

    assert reasons(vault) == [Reason.MANY_POINTS]


def test_a_fifth_of_what_came_today_may_go(vault: Vault) -> None:
    points = store_points(vault, 10, age=timedelta(hours=2))

    hide(vault, *points[-2:])

    assert reasons(vault) == []


def test_an_hourly_plan_that_keeps_one_a_day_alarms_nobody_on_its_first_day(vault: Vault) -> None:
    Vault.objects.update(keep_daily=7)
    vault.refresh_from_db()
    now = timezone.now()
    moments = [now - timedelta(hours=hours) for hours in reversed(range(9))]
    points = [store(vault, FileKind.SNAPSHOT, f"{at}", age=now - at) for at in moments]

    for point, at in zip(points, moments[1:], strict=False):
        hide(vault, point, at=at + timedelta(minutes=1))

    assert reasons(vault) == []


def test_an_open_alarm_ends_the_watching(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    Vault.objects.update(keep_daily=7)
    vault.refresh_from_db()
    points = store_points(vault, 4)
    hide(vault, points[0])
    hide(vault, points[1])
    assert len(reasons(vault)) == 1

    def work_out(*_args: object) -> None:
        raise AssertionError("nobody needs to know that now")

    monkeypatch.setattr(expected, "plan_forget", work_out)
    hide(vault, points[2])

    assert len(reasons(vault)) == 1


def test_what_the_retention_keeps_is_worked_out_once_for_many_deletions_and_outside_their_locks(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    Vault.objects.update(keep_daily=7)
    vault.refresh_from_db()
    store_points(vault, 1, age=10 * DAY)
    store_points(vault, 30)
    let_go = store_points(vault, 3, age=3 * DAY + timedelta(hours=1))
    worked_out = []

    def plan_forget(
        snapshots: Sequence[Snapshot], policy: RetentionPolicy, *, now: datetime
    ) -> ForgetPlan:
        worked_out.append(transaction.get_connection().in_atomic_block)
        return retention.plan_forget(snapshots, policy, now=now)

    monkeypatch.setattr(expected, "plan_forget", plan_forget)
    now = timezone.now()
    for number, point in enumerate(let_go):
        hide(vault, point, at=now + timedelta(seconds=number))

    assert worked_out == [False]
    assert reasons(vault) == []


def test_a_fifth_of_the_data_may_go_in_a_day(vault: Vault) -> None:
    packs = [store(vault, FileKind.PACK, f"{n}", size=1000) for n in range(10)]

    hide(vault, *packs[:2])
    assert reasons(vault) == []

    hide(vault, packs[2])
    assert reasons(vault) == [Reason.MUCH_DATA]


def test_a_prune_may_copy_half_of_the_data_to_new_packs(vault: Vault) -> None:
    packs = [store(vault, FileKind.PACK, f"{n}", size=1000) for n in range(10)]
    store(vault, FileKind.PACK, "copied", size=4000, age=timedelta(0))

    hide(vault, *packs[:5])

    assert reasons(vault) == []


def test_fresh_rubbish_does_not_hide_that_data_goes(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_data, "_SMALL_BYTES", 5000)
    packs = [store(vault, FileKind.PACK, f"{n}", size=1000) for n in range(10)]
    store(vault, FileKind.PACK, "rubbish", age=timedelta(hours=1), size=1_000_000)

    hide(vault, *packs[:6])

    assert reasons(vault) == [Reason.MUCH_DATA]


def test_data_cannot_be_swapped_for_rubbish_in_a_vault_of_two_packs(vault: Vault) -> None:
    packs = [store(vault, FileKind.PACK, f"{n}", age=40 * DAY, size=9 << 20) for n in range(2)]
    store(vault, FileKind.PACK, "rubbish", age=timedelta(0), size=18 << 20)

    hide(vault, *packs)

    assert reasons(vault) == [Reason.MUCH_DATA]


def test_the_first_backup_is_watched_on_its_first_day(vault: Vault) -> None:
    packs = [
        store(vault, FileKind.PACK, f"{n}", size=1000, age=timedelta(hours=2)) for n in range(10)
    ]

    hide(vault, *packs[:3])

    assert reasons(vault) == [Reason.MUCH_DATA]


def test_an_hourly_plan_that_keeps_one_a_day_alarms_nobody(vault: Vault) -> None:
    Vault.objects.update(keep_daily=7, keep_weekly=4, keep_monthly=12)
    vault.refresh_from_db()
    store_points(vault, 1)
    hourly = [
        store(vault, FileKind.SNAPSHOT, f"{n} h", age=timedelta(hours=n)) for n in range(1, 9)
    ]

    hide(vault, *hourly[1:])
    assert reasons(vault) == []

    hide(vault, hourly[0])
    assert reasons(vault) == [Reason.RETENTION]


def test_index_files_that_a_prune_replaces_alarm_nobody(vault: Vault) -> None:
    old = [store(vault, FileKind.INDEX, f"{n}", size=100) for n in range(4)]
    store(vault, FileKind.INDEX, "new", size=300, age=timedelta(0))

    hide(vault, *old)

    assert reasons(vault) == []


def test_an_index_file_that_nothing_replaces_is_missed(vault: Vault) -> None:
    old = [store(vault, FileKind.INDEX, f"{n}", size=100) for n in range(10)]

    hide(vault, old[0])

    assert reasons(vault) == [Reason.INDEX]


def test_a_little_index_file_does_not_stand_for_many(vault: Vault) -> None:
    old = [store(vault, FileKind.INDEX, f"{n}", size=100) for n in range(10)]
    store(vault, FileKind.INDEX, "rubbish", size=100, age=timedelta(0))

    hide(vault, *old)

    assert reasons(vault) == [Reason.INDEX]


def test_an_upload_that_is_sent_again_is_no_deletion(vault: Vault) -> None:
    Vault.objects.update(keep_last=5, keep_daily=5)
    vault.refresh_from_db()
    for kind in (FileKind.SNAPSHOT, FileKind.INDEX, FileKind.PACK):
        hide(vault, store(vault, kind, "the answer was lost", age=timedelta(minutes=1)))

    assert reasons(vault) == []


def test_what_a_bring_back_sets_aside_alarms_nobody(vault: Vault) -> None:
    points = store_points(vault, 10, age=10 * DAY)
    store_points(vault, 10, age=DAY / 2)

    bring_back(vault, timezone.now() - DAY)
    hide(vault, points[0])

    assert catalog.visible(vault, FileKind.SNAPSHOT).count() == 9
    assert reasons(vault) == []


def test_a_new_vault_misses_the_restore_point_of_last_month(vault: Vault) -> None:
    fresh = Vault()
    Vault.objects.update(
        keep_daily=fresh.keep_daily, keep_weekly=fresh.keep_weekly, keep_monthly=fresh.keep_monthly
    )
    vault.refresh_from_db()
    daily = [store(vault, FileKind.SNAPSHOT, f"{n}", age=(n + 1) * DAY) for n in range(60)]
    of_last_month = next(
        point
        for newer, point in pairwise(daily)
        if point.stored_at and newer.stored_at and point.stored_at.month != newer.stored_at.month
    )

    # Weeks later than the daily and before the weekly ones: only the monthly rule keeps it.
    nearby = [p for p in daily if p != of_last_month and _apart(p, of_last_month) < 3 * DAY]
    StoredObject.objects.filter(pk__in=[p.pk for p in nearby]).delete()
    hide(vault, of_last_month)

    assert reasons(vault) == [Reason.RETENTION]


def _apart(one: StoredObject, other: StoredObject) -> timedelta:
    assert one.stored_at is not None
    assert other.stored_at is not None
    return abs(one.stored_at - other.stored_at)


def test_a_device_in_another_time_zone_may_keep_the_other_one_of_the_night(vault: Vault) -> None:
    Vault.objects.update(keep_daily=3)
    vault.refresh_from_db()
    # 13:30 and 01:30 of the device's days, which are two hours ahead of the console's.
    midnight = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    hours = [timedelta(hours=24 * day + hour) for day in range(1, 8) for hour in (0.5, 12.5)]
    points = [
        store(vault, FileKind.SNAPSHOT, f"{h}", age=timezone.now() - (midnight - h)) for h in hours
    ]

    hide(vault, points[0])

    assert reasons(vault) == []


def test_a_deletion_whose_alarm_cannot_be_written_down_does_not_happen(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    (point,) = store_points(vault, 1)

    def die(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(notices, "alarm", die)
        with pytest.raises(KeyboardInterrupt):
            hide(vault, point)
    point.refresh_from_db()
    assert point.state == State.VISIBLE
    assert reasons(vault) == []

    hide(vault, point)
    assert reasons(vault) == [Reason.MANY_POINTS]
    mail.wait_until_sent()
    assert len(django_mail.outbox) == 2


def test_deletions_side_by_side_count_each_other(vault: Vault) -> None:
    points = store_points(vault, 9)
    together = threading.Barrier(2)

    def delete(point: StoredObject) -> None:
        try:
            together.wait()
            hide(vault, point)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=delete, args=(point,)) for point in points[:2]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert reasons(vault) == [Reason.MANY_POINTS]


def test_an_open_alarm_keeps_the_way_back_to_before_it_for_weeks(vault: Vault) -> None:
    points = store_points(vault, 4, age=40 * DAY)
    long_ago = timezone.now() - 30 * DAY
    hide(vault, *points, at=long_ago)
    assert purge(vault, stores.of(vault), now=timezone.now()) == 0

    bring_back(vault, long_ago - timedelta(seconds=1))

    assert catalog.visible(vault, FileKind.SNAPSHOT).count() == 4


def test_a_vault_is_not_brought_back_to_before_something_was_purged(vault: Vault) -> None:
    old, young = store_points(vault, 2, age=40 * DAY)
    now = timezone.now()
    hide(vault, old, at=now - 20 * DAY)
    confirm_all(vault, now - 20 * DAY + timedelta(minutes=1))
    hide(vault, young, at=now - 19 * DAY)
    confirm_all(vault, now - 16 * DAY)
    store_points(vault, 1, age=15 * DAY)
    assert purge(vault, stores.of(vault), now=now - 5.5 * DAY) == 1
    vault.refresh_from_db()

    with pytest.raises(UsageError):
        bringing_back.plan(vault, now - 20 * DAY - timedelta(seconds=1), now=now)
    assert bringing_back.plan(vault, now - 19.5 * DAY, now=now).shown_points == 1


def test_a_vault_of_which_nothing_was_purged_can_be_brought_back_to_any_day(vault: Vault) -> None:
    store_points(vault, 2, age=100 * DAY)
    store_points(vault, 3, age=20 * DAY)

    bring_back(vault, timezone.now() - 50 * DAY)

    assert catalog.visible(vault, FileKind.SNAPSHOT).count() == 2
    with pytest.raises(UsageError):
        bringing_back.plan(vault, timezone.now() - 400 * DAY, now=timezone.now())
