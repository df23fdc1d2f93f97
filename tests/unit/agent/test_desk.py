"""What faces see and do at the desk, with real backups behind it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from backup_agent.agent.desk import ConcernKind, LocationState, Remedy, Secrets, Verdict
from backup_agent.agent.ran import JobKind, Outcome, RunQuery
from backup_agent.agent.storage_location import StorageLocation
from backup_agent.errors import UsageError
from backup_agent.model.retention import RetentionPolicy
from tests.unit.agent.workplace import SECRETS, START, Ear, Workplace


def test_without_a_plan_nothing_is_protected_and_the_remedy_is_one(place: Workplace) -> None:
    with place.portable() as desk:
        state = desk.state()

    assert state.verdict is Verdict.UNPROTECTED
    assert [(each.kind, each.remedy) for each in state.concerns] == [
        (ConcernKind.NO_PLAN, Remedy.ADD_PLAN)
    ]


def test_a_first_backup_from_an_empty_folder_to_protected(place: Workplace) -> None:
    plan = place.plan()
    with place.portable() as desk:
        ear = Ear(desk)
        assert desk.look_at(plan.location, SECRETS).state is LocationState.EMPTY
        desk.create_repository(plan.location, SECRETS)
        assert desk.look_at(plan.location, SECRETS).state is LocationState.READY
        wrong = desk.look_at(plan.location, Secrets("guessed"))
        assert wrong.state is LocationState.WRONG_PASSWORD

        desk.save_plan(plan, SECRETS)
        desk.run_now(plan.id)
        (run,) = ear.until_idle(runs=1)

        state = desk.state()
        assert run.ran is not None
        assert run.ran.outcome is Outcome.DONE
        assert state.verdict is Verdict.PROTECTED
        assert state.last_good is not None
        assert state.last_good.id == run.id
        reach = desk.reach(plan.id)
        assert (reach.address, reach.secrets.password) == (plan.location.address, "correct horse")


def test_secrets_are_neither_in_the_plans_nor_readable_beside_them(place: Workplace) -> None:
    with place.portable() as desk:
        desk.save_plan(place.plan(), Secrets("hunter2", {"AWS_SECRET_ACCESS_KEY": "s3cr3t"}))

    files = [file for file in place.home.rglob("*") if file.is_file()]
    for file in files:
        assert b"hunter2" not in file.read_bytes()
        assert b"s3cr3t" not in file.read_bytes()
    kept = [file for file in files if file.name.startswith("secrets.")]
    assert [file.stat().st_mode & 0o777 for file in kept] == [0o600, 0o600]
    with place.portable() as desk:
        assert desk.reach("id-Projects").secrets.variables == {"AWS_SECRET_ACCESS_KEY": "s3cr3t"}


def test_a_wrong_password_is_a_problem_whose_remedy_is_to_enter_it(place: Workplace) -> None:
    plan = place.plan()
    with place.portable() as desk:
        ear = Ear(desk)
        desk.create_repository(plan.location, SECRETS)
        desk.save_plan(plan, Secrets("changed elsewhere"))
        desk.run_now(plan.id)
        ear.until_idle(runs=1)
        (concern, *_) = desk.state().concerns
        assert (concern.kind, concern.remedy) == (
            ConcernKind.WRONG_PASSWORD,
            Remedy.ENTER_PASSWORD,
        )

        desk.save_plan(plan, SECRETS)
        desk.run_now(plan.id)
        ear.until_idle(runs=2)
        assert desk.state().verdict is Verdict.PROTECTED


def test_a_pause_stops_what_runs_and_it_is_made_up_for_afterwards(place: Workplace) -> None:
    plan = place.plan()
    with (place.home / "projects" / "large").open("wb") as large:
        large.truncate(64 << 30)
    with place.portable() as desk:
        ear = Ear(desk)
        desk.create_repository(plan.location, SECRETS)
        desk.save_plan(plan, SECRETS)
        desk.run_now(plan.id)
        ear.until_running()
        desk.pause_until(START + timedelta(days=1))
        (run,) = ear.until_idle(runs=1)
        assert run.ran is not None
        assert run.ran.outcome is Outcome.STOPPED
        assert desk.state().verdict is Verdict.UNPROTECTED
        assert desk.state().plans[0].paused_until == START + timedelta(days=1)

        (place.home / "projects" / "large").unlink()
        place.pass_time(days=2)
        desk.pause_until(None)
        ear.until_idle(runs=2)
        assert desk.state().verdict is Verdict.PROTECTED


def test_stopping_a_run_leaves_it_stopped(place: Workplace) -> None:
    plan = place.plan()
    with (place.home / "projects" / "large").open("wb") as large:
        large.truncate(64 << 30)
    with place.portable() as desk:
        ear = Ear(desk)
        desk.create_repository(plan.location, SECRETS)
        desk.save_plan(plan, SECRETS)
        desk.run_now(plan.id)
        desk.stop(ear.until_running().running[0].run_id)
        (run,) = ear.until_idle(runs=1)

        assert run.ran is not None
        assert run.ran.outcome is Outcome.STOPPED
        assert desk.state().plans[0].next_run_at is None


def test_a_preview_names_what_stays_and_why_and_what_goes(place: Workplace) -> None:
    plan = place.plan()
    with place.portable() as desk:
        ear = Ear(desk)
        desk.create_repository(plan.location, SECRETS)
        desk.save_plan(plan, SECRETS)
        for runs in (1, 2):
            desk.run_now(plan.id)
            ear.until_idle(runs=runs)

        everything = desk.preview_retention(plan)
        latest = desk.preview_retention(replace(plan, retention=RetentionPolicy(last=1)))

    assert (len(everything.keep), len(everything.remove)) == (2, 0)
    assert [point.reasons for point in latest.keep] == [("last snapshot",)]
    assert len(latest.remove) == 1


def test_upkeep_follows_the_first_backup(place: Workplace) -> None:
    from backup_agent.agent.plan import Checks

    checks = Checks(read_back_weeks=8, trial_files=20)
    plan = place.plan(retention=RetentionPolicy(daily=7), checks=checks)
    with place.portable() as desk:
        ear = Ear(desk)
        desk.create_repository(plan.location, SECRETS)
        desk.save_plan(plan, SECRETS)
        desk.run_now(plan.id)
        runs = ear.until_idle(runs=4)
        state = desk.state()
        only = desk.runs(RunQuery(kinds=(JobKind.TRIAL,))).runs

    assert {run.kind for run in runs} == set(JobKind)
    assert [run.ran and run.ran.outcome for run in runs] == [Outcome.DONE] * 4
    assert state.verdict is Verdict.PROTECTED
    assert [run.ran and run.ran.files for run in only] == [1]


def test_two_plans_may_not_have_one_name(place: Workplace) -> None:
    with place.portable() as desk:
        desk.save_plan(place.plan())
        with pytest.raises(UsageError, match="already"):
            desk.save_plan(replace(place.plan(), id="other", name="PROJECTS"))


def test_secrets_go_with_the_last_plan_that_needs_them(place: Workplace) -> None:
    one, other = place.plan("One"), place.plan("Other")
    with place.portable() as desk:
        desk.save_plan(one, SECRETS)
        desk.save_plan(other)
        desk.remove_plan(one.id)
        assert desk.reach(other.id).secrets.password == "correct horse"
        desk.remove_plan(other.id)
        desk.save_plan(one)
        with pytest.raises(UsageError, match="password"):
            desk.reach(one.id)


def test_a_second_agent_for_the_same_plans_is_refused(place: Workplace) -> None:
    with place.portable(), pytest.raises(UsageError, match="runs already"), place.portable():
        pass


def test_secrets_of_a_place_that_a_plan_has_left_are_forgotten(place: Workplace) -> None:
    plan = place.plan()
    elsewhere = replace(plan, location=StorageLocation(address="s3:https://host/bucket"))
    with place.portable() as desk:
        desk.save_plan(plan, Secrets("old"))
        desk.save_plan(elsewhere, Secrets("new"))
        assert desk.reach(plan.id).secrets.password == "new"

        desk.save_plan(plan)
        with pytest.raises(UsageError, match="password"):
            desk.reach(plan.id)
