"""What goes wrong around an agent: no plan is lost, no state is wrong, no gap stays silent."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from backup_agent.agent import service
from backup_agent.agent.assembly import outside_of_host, portable
from backup_agent.agent.conditions import Circumstances, Conditions, Unmet
from backup_agent.agent.database import database_file
from backup_agent.agent.desk import ConcernKind, Remedy, Verdict
from backup_agent.agent.ledger import Ledger
from backup_agent.agent.ran import JobKind, Outcome, RunQuery
from backup_agent.agent.schedule import EveryHours
from backup_agent.agent.storage_location import StorageLocation
from backup_agent.errors import UsageError
from backup_agent.model.events import ignore
from backup_agent.services.repositories import Access
from tests.unit.agent.workplace import SECRETS, Ear, Workplace


def is_job(process: psutil.Process) -> bool:
    return "backup_agent.agent.job_process" in process.cmdline()


def large_file(place: Workplace) -> Path:
    """It holds no data, and takes longer to read than any test lasts."""
    file = place.home / "projects" / "large"
    file.parent.mkdir(exist_ok=True)
    with file.open("wb") as stream:
        stream.truncate(64 << 30)
    return file


def test_a_job_that_is_killed_is_told_and_made_up_for_at_once(place: Workplace) -> None:
    plan = place.plan(schedule=EveryHours(24))
    large = large_file(place)

    def default_access(address: str) -> Access:
        return Access(address, lambda: "unused", place.environment)

    outside = outside_of_host(place.environment, default_access=default_access, emit=ignore)
    with portable(outside) as desk:
        ear = Ear(desk)
        desk.create_repository(plan.location, SECRETS)
        desk.save_plan(plan, SECRETS)
        while not ear.until_running().running[0].bytes_done:
            ear.told()
        (job,) = filter(is_job, psutil.Process().children())
        assert "correct horse" not in " ".join([*job.cmdline(), *job.environ().values()])
        large.unlink()
        os.kill(job.pid, signal.SIGKILL)
        after, killed = ear.until_idle(runs=2)

        assert killed.ran is not None
        assert killed.ran.outcome is Outcome.BROKEN_OFF
        assert "SIGKILL" in killed.ran.message
        assert after.ran is not None
        assert after.ran.outcome is Outcome.DONE
        assert desk.state().verdict is Verdict.PROTECTED


def test_a_job_is_stopped_when_its_agent_ends_and_is_owed(place: Workplace) -> None:
    plan = place.plan()
    large_file(place)

    def default_access(address: str) -> Access:
        return Access(address, lambda: "unused", place.environment)

    outside = outside_of_host(place.environment, default_access=default_access, emit=ignore)
    with portable(outside) as desk:
        ear = Ear(desk)
        desk.create_repository(plan.location, SECRETS)
        desk.save_plan(plan, SECRETS)
        desk.run_now(plan.id)
        while not ear.until_running().running[0].bytes_done:
            ear.told()
    assert not list(filter(is_job, psutil.Process().children()))

    place.now += timedelta(days=365 * 20)
    with place.parts() as parts:
        (standing,) = parts.agenda.standings(parts.agent.plans(), now=place.now)
    assert standing.record.interrupted
    assert standing.is_due(place.now)


def test_storage_that_is_gone_for_a_day_costs_no_day_more(place: Workplace) -> None:
    plan = place.plan(schedule=EveryHours(24))
    hidden = place.home / "unplugged"
    with place.portable() as desk:
        ear = Ear(desk)
        desk.create_repository(plan.location, SECRETS)
        desk.save_plan(plan, SECRETS)
        ear.until_idle(runs=1)
        Path(plan.location.address).rename(hidden)

        place.pass_time(hours=24)
        desk.pause_until(None)
        ear.until_idle(runs=2)
        (concern, *_) = desk.state().concerns
        assert concern.verdict is Verdict.WARNING
        retry = desk.state().plans[0].next_run_at
        assert retry is not None
        assert retry - place.now <= timedelta(minutes=10)

        place.pass_time(hours=20)
        desk.pause_until(None)
        ear.until_idle(runs=3)
        assert desk.state().verdict is Verdict.PROBLEM

        hidden.rename(plan.location.address)
        place.pass_time(hours=4)
        desk.pause_until(None)
        ear.until_idle(runs=4)
        assert desk.state().verdict is Verdict.PROTECTED


def test_a_clock_that_was_a_year_ahead_neither_stops_a_plan_nor_runs_it_on_and_on(
    place: Workplace,
) -> None:
    plan = place.plan(schedule=EveryHours(24))
    place.pass_time(days=365)
    with place.portable() as desk:
        ear = Ear(desk)
        desk.create_repository(plan.location, SECRETS)
        desk.save_plan(plan, SECRETS)
        ear.until_idle(runs=1)

        place.pass_time(days=-365)
        desk.pause_until(None)
        ear.until_idle(runs=2)

        due = desk.state().plans[0].next_run_at
        assert due == place.now + timedelta(hours=24)
        assert len(desk.runs(RunQuery()).runs) == 2


def test_a_clock_put_back_a_little_waits_and_one_put_forward_runs_once(place: Workplace) -> None:
    plan = place.plan(schedule=EveryHours(24))
    with place.portable() as desk:
        ear = Ear(desk)
        desk.create_repository(plan.location, SECRETS)
        desk.save_plan(plan, SECRETS)
        ear.until_idle(runs=1)

        place.pass_time(days=30)
        desk.pause_until(None)
        ear.until_idle(runs=2)
        assert len(desk.runs(RunQuery()).runs) == 2


def test_a_full_disk_is_a_problem_whose_remedy_is_room(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backup_agent.errors import StorageFullError
    from backup_agent.storage.local import LocalBackend

    plan = place.plan()

    def full(*_arguments: object) -> None:
        raise StorageFullError("No space is left.", hint="Make room.")

    with place.portable() as desk:
        ear = Ear(desk)
        desk.create_repository(plan.location, SECRETS)
        desk.save_plan(plan, SECRETS)
        monkeypatch.setattr(LocalBackend, "save", full)
        desk.run_now(plan.id)
        ear.until_idle(runs=1)

        (concern, *_) = desk.state().concerns
        assert (concern.kind, concern.remedy) == (ConcernKind.STORAGE_FULL, Remedy.FREE_SPACE)


def test_a_plan_waits_for_its_disk_and_runs_wherever_that_is_mounted(place: Workplace) -> None:
    place.mounts["1234-ABCD"] = first = place.home / "media" / "T7"
    first.mkdir(parents=True)
    location = StorageLocation(address="/everboot", file_system="1234-ABCD", label="Blue T7")
    plan = place.plan(location=location, schedule=EveryHours(24), on_plug=True)
    with place.portable() as desk:
        ear = Ear(desk)
        desk.create_repository(location, SECRETS)
        desk.save_plan(plan, SECRETS)
        ear.until_idle(runs=1)
        assert (first / "everboot" / "config").exists()

        del place.mounts["1234-ABCD"]
        place.pass_time(hours=48)
        desk.pause_until(None)
        (view,) = desk.state().plans
        assert view.waits_for is Unmet.DISK
        (concern,) = desk.state().concerns
        assert (concern.kind, concern.detail) == (ConcernKind.DISK_AWAY, "Blue T7")

        place.mounts["1234-ABCD"] = second = place.home / "mnt"
        first.rename(second)
        desk.pause_until(None)
        ear.until_idle(runs=2)
        assert desk.state().verdict is Verdict.PROTECTED


def test_a_plan_waits_for_mains_and_who_asks_gets_it_all_the_same(place: Workplace) -> None:
    place.circumstances = Circumstances(on_battery=True)
    plan = place.plan(schedule=EveryHours(24), conditions=Conditions(not_on_battery=True))
    with place.portable() as desk:
        ear = Ear(desk)
        desk.create_repository(plan.location, SECRETS)
        desk.save_plan(plan, SECRETS)
        assert desk.state().plans[0].waits_for is Unmet.MAINS
        assert desk.runs(RunQuery()).runs == ()

        desk.run_now(plan.id)
        ear.until_idle(runs=1)
        assert desk.state().verdict is Verdict.PROTECTED


def test_plans_that_somebody_breaks_are_kept_and_told(place: Workplace) -> None:
    file = Path(place.environment["EVERBOOT_PLANS_FILE"])
    with place.portable() as desk:
        desk.save_plan(place.plan())
        whole = file.read_bytes()
        file.write_bytes(whole[:-20])

        state = desk.state()
        assert [view.plan.name for view in state.plans] == ["Projects"]
        assert ConcernKind.PLANS_UNREADABLE in [concern.kind for concern in state.concerns]
        with pytest.raises(UsageError, match="cannot be read"):
            desk.save_plan(place.plan("Other"))

        file.write_bytes(whole)
        assert ConcernKind.PLANS_UNREADABLE not in [c.kind for c in desk.state().concerns]


def test_plans_of_a_newer_version_are_refused_and_left_as_they_are(place: Workplace) -> None:
    file = Path(place.environment["EVERBOOT_PLANS_FILE"])
    file.parent.mkdir()
    newer = b'{"version": 99, "plans": [{"id": "1", "name": "Mine", "dreams": true}]}'
    file.write_bytes(newer)

    with place.parts() as parts, pytest.raises(UsageError, match="newer Everboot"):
        parts.desk.save_plan(place.plan())

    assert file.read_bytes() == newer


def test_a_plan_that_is_removed_while_it_runs_is_stopped(place: Workplace) -> None:
    plan = place.plan()
    large_file(place)
    with place.portable() as desk:
        ear = Ear(desk)
        desk.create_repository(plan.location, SECRETS)
        desk.save_plan(plan, SECRETS)
        desk.run_now(plan.id)
        ear.until_running()
        desk.remove_plan(plan.id)
        (run,) = ear.until_idle(runs=1)

    assert run.ran is not None
    assert run.ran.outcome is Outcome.STOPPED


@pytest.mark.parametrize("kind", list(JobKind))
def test_a_service_that_is_killed_in_any_job_notes_it_at_the_next_start(
    place: Workplace, kind: JobKind
) -> None:
    plan = replace(place.plan(), schedule=EveryHours(24))
    with place.parts() as parts:
        parts.book.save(plan)
        parts.ledger.begin(plan, at=place.now, kind=kind)
    with closing(sqlite3.connect(database_file(place.environment))) as other, other:
        # As if its process had begun, and ended, long ago.
        other.execute("UPDATE run SET process_began = process_began - 3600")

    with place.portable() as desk:
        ear = Ear(desk)
        runs = ear.until_idle(runs=1)
        assert runs[-1].ran is not None
        assert runs[-1].ran.outcome is Outcome.BROKEN_OFF
        assert desk.state().verdict is Verdict.UNPROTECTED


def test_a_history_that_cannot_be_written_for_a_while_loses_no_run(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "HISTORY_SECONDS", 0.01)
    plan = place.plan()
    trouble = {"begin": 3, "end": 3}

    def at_first_full(name: str) -> None:
        whole = getattr(Ledger, name)

        def written(*arguments: object, **options: object) -> object:
            if trouble[name]:
                trouble[name] -= 1
                raise sqlite3.OperationalError("database or disk is full")
            return whole(*arguments, **options)

        monkeypatch.setattr(Ledger, name, written)

    with place.portable() as desk:
        ear = Ear(desk)
        desk.create_repository(plan.location, SECRETS)
        desk.save_plan(plan, SECRETS)
        at_first_full("begin")
        at_first_full("end")
        desk.run_now(plan.id)
        (run,) = ear.until_idle(runs=1)

        assert run.ran is not None
        assert run.ran.outcome is Outcome.DONE
        assert trouble == {"begin": 0, "end": 0}


def test_who_asks_comes_before_an_occasion_that_waits(place: Workplace) -> None:
    place.circumstances = Circumstances(on_battery=True)
    plan = place.plan(on_start=True, conditions=Conditions(not_on_battery=True))
    with place.parts() as parts:
        parts.desk.save_plan(plan, SECRETS)
    with place.portable() as desk:
        ear = Ear(desk)
        desk.create_repository(plan.location, SECRETS)
        assert desk.runs(RunQuery()).runs == ()

        desk.run_now(plan.id)
        (run,) = ear.until_idle(runs=1)
        assert run.ran is not None
        assert desk.state().waiting == ()
