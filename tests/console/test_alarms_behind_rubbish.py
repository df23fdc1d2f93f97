"""Deletions behind rubbish: before it, after it, bit by bit; and what an ordinary plan may do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from backup_agent.model.ids import BlobId, SnapshotId
from backup_agent.model.retention import RetentionPolicy, plan_forget
from backup_agent.model.snapshot import Snapshot
from backup_agent.services.vault import FileKind
from console_ui.audit.actor import THE_CONSOLE
from console_ui.storage import alarms, vaults
from console_ui.storage.housekeeping import Housekeeping
from console_ui.storage.models import Alarm, Reason, State, StoredObject, Vault
from tests.console.alarmed import make_old_vault, store
from tests.console.gateways import delete_object

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
_MIB = 1 << 20


@pytest.fixture
def vault(transactional_db: None, tmp_path: Path, settings: Settings) -> Vault:
    """With the retention that every vault begins with."""
    return make_old_vault(tmp_path, settings, keep_daily=7, keep_weekly=4, keep_monthly=12)


def back_up(vault: Vault, text: str, age: timedelta, *, size: int = 300) -> StoredObject:
    return store(vault, FileKind.SNAPSHOT, text, age=age, size=size)


def pack(vault: Vault, text: str, age: timedelta, *, size: int = 1000) -> StoredObject:
    return store(vault, FileKind.PACK, text, age=age, size=size)


def hide(vault: Vault, lines: Sequence[StoredObject], *, at: datetime | None = None) -> None:
    for line in lines:
        delete_object(vault, line, at=at or timezone.now())


def reasons(vault: Vault) -> list[str]:
    return list(Alarm.objects.filter(vault=vault).values_list("reason", flat=True))


def test_rubbish_after_the_first_backup_does_not_make_its_data_a_small_part(vault: Vault) -> None:
    packs = [pack(vault, f"{n}", 3 * HOUR, size=_MIB) for n in range(10)]
    back_up(vault, "the first", 2 * HOUR)
    pack(vault, "rubbish", HOUR, size=60 * _MIB)
    back_up(vault, "of rubbish", HOUR)

    hide(vault, packs)

    assert reasons(vault) == [Reason.MUCH_DATA]


def test_the_first_day_s_backups_cannot_go_slowly_behind_rubbish(vault: Vault) -> None:
    points = [back_up(vault, f"{n}", 23 * HOUR - n * HOUR) for n in range(5)]
    back_up(vault, "rubbish", 17 * HOUR)

    now = timezone.now()
    for number, point in enumerate(points):
        hide(vault, [point], at=now - (5 - number) * HOUR)

    assert reasons(vault) == [Reason.MANY_POINTS]


def test_something_far_smaller_does_not_stand_for_a_restore_point(vault: Vault) -> None:
    back_up(vault, "long ago", 5 * DAY)
    point = back_up(vault, "of this night", 5 * HOUR)
    back_up(vault, "rubbish", 4 * HOUR, size=20)

    hide(vault, [point])

    assert reasons(vault) == [Reason.RETENTION]


def test_rubbish_stored_for_a_day_does_not_make_a_burst_of_deletions_small(vault: Vault) -> None:
    points = [back_up(vault, f"{n}", 4 * DAY - n * HOUR) for n in range(10)]
    for number in range(60):
        back_up(vault, f"rubbish {number}", 3 * DAY - number * MINUTE)

    hide(vault, points)

    assert reasons(vault) != []


def test_what_was_stored_a_moment_ago_is_missed_when_it_does_not_come_back(vault: Vault) -> None:
    points = [back_up(vault, f"{n}", 10 * MINUTE) for n in range(6)]
    hide(vault, points)
    assert reasons(vault) == []

    alarms.look_again(vault, now=timezone.now() + 16 * MINUTE)

    assert reasons(vault) != []


def test_data_swapped_for_rubbish_over_days_is_missed(vault: Vault) -> None:
    packs = [pack(vault, f"{n}", 20 * DAY, size=2 * _MIB) for n in range(10)]
    for day in range(20, 2, -1):
        back_up(vault, f"{day}", day * DAY)
    now = timezone.now()

    pack(vault, "first rubbish", 2 * DAY, size=8 * _MIB)
    hide(vault, packs[:4], at=now - 2 * DAY)
    assert reasons(vault) == []
    pack(vault, "second rubbish", 1 * DAY, size=8 * _MIB)
    hide(vault, packs[4:8], at=now - 1 * DAY)

    assert reasons(vault) == [Reason.MUCH_DATA]


def test_data_of_a_small_vault_swapped_for_rubbish_are_missed(vault: Vault) -> None:
    packs = [pack(vault, f"{n}", 20 * DAY, size=_MIB) for n in range(12)]
    back_up(vault, "the only one", 20 * DAY)
    pack(vault, "rubbish", MINUTE, size=12 * _MIB)

    hide(vault, packs)

    assert reasons(vault) == [Reason.MUCH_DATA]


def test_data_that_shrink_bit_by_bit_are_missed(vault: Vault) -> None:
    packs = [pack(vault, f"{n}", 20 * DAY) for n in range(10)]
    back_up(vault, "the only one", 20 * DAY)
    now = timezone.now()

    for number, days in enumerate((9, 6, 3)):
        assert reasons(vault) == []
        hide(vault, [packs[number]], at=now - days * DAY)

    assert reasons(vault) == [Reason.MUCH_DATA]


def test_index_files_of_the_first_day_are_missed(vault: Vault) -> None:
    indexes = [store(vault, FileKind.INDEX, f"{n}", age=2 * HOUR, size=100) for n in range(10)]
    back_up(vault, "the first", 2 * HOUR)

    hide(vault, indexes)

    assert reasons(vault) == [Reason.INDEX]


def test_dumps_of_a_database_that_are_kept_for_a_week_may_all_be_replaced(vault: Vault) -> None:
    Vault.objects.update(keep_weekly=0, keep_monthly=0)
    vault.refresh_from_db()
    dumps: list[tuple[StoredObject, StoredObject]] = []
    now = timezone.now()
    for days_ago in range(30, -1, -1):
        dump = pack(vault, f"{days_ago}", days_ago * DAY + HOUR, size=5 * _MIB)
        dumps.append((back_up(vault, f"of {days_ago}", days_ago * DAY + HOUR), dump))
        if len(dumps) > 8:
            point, data = dumps[-8]
            hide(vault, [point, data], at=now - days_ago * DAY)

    assert reasons(vault) == []


def test_hourly_backups_thinned_out_every_night_alarm_nobody(vault: Vault) -> None:
    now = timezone.now()
    back_up(vault, "the oldest", 11 * DAY)
    for days_ago in range(8, -1, -1):
        midnight = (now - days_ago * DAY).replace(hour=0, minute=0, second=0)
        of_the_day = [
            back_up(vault, f"{days_ago} {hour}", now - midnight + (24 - hour) * HOUR)
            for hour in range(24)
        ]
        hide(vault, of_the_day[:-1], at=midnight)

    assert reasons(vault) == []


def test_an_alarm_of_a_lost_database_is_raised_anew_and_nothing_is_purged(vault: Vault) -> None:
    packs = [pack(vault, f"{n}", 40 * DAY) for n in range(10)]
    back_up(vault, "the only one", 40 * DAY)
    hide(vault, packs, at=timezone.now() - 20 * DAY)
    organisation, location = vault.organisation, vault.location
    Vault.objects.all().delete()

    found = vaults.take_up(organisation, location, vault.pk, name="Found", by=THE_CONSOLE)
    Housekeeping().round(now=timezone.now())

    assert found.stored_objects.filter(state=State.HIDDEN).count() == 10
    assert reasons(found) == [Reason.MUCH_DATA]


def test_what_an_alarm_held_back_is_held_back_after_the_loss_of_the_database(vault: Vault) -> None:
    points = [back_up(vault, f"{n}", (40 - n) * DAY) for n in range(11)]
    hide(vault, points[:10], at=timezone.now() - 20 * DAY)
    organisation, location = vault.organisation, vault.location
    Vault.objects.all().delete()

    found = vaults.take_up(organisation, location, vault.pk, name="Found", by=THE_CONSOLE)
    for days in (0, 13, 15, 30):
        Housekeeping().round(now=timezone.now() + days * DAY)

    assert reasons(found) == [Reason.MANY_POINTS]
    assert found.stored_objects.filter(state=State.HIDDEN).count() == 10


def test_a_plan_of_every_six_hours_with_the_vault_s_retention_is_no_alarm(vault: Vault) -> None:
    start = timezone.now() - 9 * DAY
    Vault.objects.update(keep_last=3, keep_daily=7, keep_weekly=0, keep_monthly=0, made_at=start)
    vault.refresh_from_db()
    policy = RetentionPolicy(last=3, daily=7)
    there: dict[SnapshotId, tuple[StoredObject, Snapshot]] = {}
    for run in range(36):
        now = start + run * 6 * HOUR
        line = back_up(vault, f"{run}", timezone.now() - now)
        name = SnapshotId(line.name)
        there[name] = line, Snapshot(id=name, time=now, tree=BlobId(bytes(32)), paths=())
        plan = plan_forget([snapshot for _line, snapshot in there.values()], policy, now=now)
        for name in there.keys() - {each.snapshot.id for each in plan.keep}:
            hide(vault, [there.pop(name)[0]], at=now)

    assert len(there) < 12
    assert reasons(vault) == []


def test_what_was_no_alarm_is_none_as_time_passes(vault: Vault) -> None:
    """A prune, and hourly backups thinned out to one a day, by a device that is then off."""
    Vault.objects.update(keep_weekly=0, keep_monthly=0)
    vault.refresh_from_db()
    for days_ago in (9, 8):
        back_up(vault, f"{days_ago}", days_ago * DAY)
    hourly = [back_up(vault, f"{hour} h", hour * HOUR) for hour in range(9, 1, -1)]
    packs = [pack(vault, f"{n}", 8 * DAY, size=_MIB) for n in range(10)]
    index = store(vault, FileKind.INDEX, "old", age=8 * DAY, size=100)
    pack(vault, "copied", 70 * MINUTE, size=2 * _MIB)
    store(vault, FileKind.INDEX, "new", age=65 * MINUTE, size=90)
    now = timezone.now()
    hide(vault, [*hourly[:-1], index, *packs[:3]], at=now - HOUR)

    for hours in (1, 22.5, 23.5, 30, 24 * 6, 24 * 13):
        alarms.look_again(vault, now=now + hours * HOUR)

    assert reasons(vault) == []
