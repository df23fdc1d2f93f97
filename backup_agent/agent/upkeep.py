"""What a plan has done besides its backups: old restore points removed, the rest proven."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from fractions import Fraction

from backup_agent.agent.plan import Plan
from backup_agent.agent.ran import Outcome, Ran
from backup_agent.errors import IntegrityError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit
from backup_agent.model.retention import RetentionPolicy
from backup_agent.model.subset import PackSubset
from backup_agent.services import trial
from backup_agent.services.check import run_check
from backup_agent.services.forget import ForgetByPolicy, PointFilter, run_forget_and_prune
from backup_agent.services.repositories import Repository


def retention_request(plan: Plan) -> ForgetByPolicy:
    """The plan's own restore points as one group, whatever it was told to back up over time.

    A plan without retention keeps everything.
    """
    policy = plan.retention or RetentionPolicy(last=-1)
    return ForgetByPolicy(
        policy=policy, filter=PointFilter(tags=((plan.tag,),)), group_by=frozenset()
    )


def tidy(
    plan: Plan,
    repository: Repository,
    *,
    emit: Emit,
    cancel: CancelToken,
    now: Callable[[], datetime],
) -> Ran:
    """Remove what the plan's retention does not keep, and free its space."""
    outcome = run_forget_and_prune(
        repository,
        retention_request(plan),
        now=now(),
        on_plan=lambda _decision: None,
        on_prune_plan=lambda _plan: None,
        emit=emit,
        cancel=cancel,
    )
    return Ran(outcome=Outcome.DONE, ended_at=now(), removed=len(outcome.decision.remove))


def check_share(
    plan: Plan,
    repository: Repository,
    *,
    emit: Emit,
    cancel: CancelToken,
    now: Callable[[], datetime],
) -> Ran:
    """Check the repository, and read the share of its data whose week it is."""
    report = run_check(repository, read_data=share_of_week(plan, now()), emit=emit, cancel=cancel)
    report.raise_for_errors()
    return Ran(outcome=Outcome.DONE, ended_at=now(), files=report.packs_read)


def share_of_week(plan: Plan, now: datetime) -> PackSubset:
    """Successive weeks read successive shares, so that a round of them reads everything."""
    weeks = max(plan.checks.read_back_weeks, 1)
    week = now.toordinal() // 7
    return PackSubset(Fraction(week % weeks, weeks), Fraction(1, weeks))


def restore_as_trial(
    plan: Plan,
    repository: Repository,
    *,
    emit: Emit,
    cancel: CancelToken,
    now: Callable[[], datetime],
) -> Ran:
    """Raises ``IntegrityError`` where files did not come back whole."""
    tried = trial.restore_as_trial(
        repository,
        tag=plan.tag,
        files=plan.checks.trial_files,
        lot=random.Random(),  # noqa: S311 - a lot, no secret
        emit=emit,
        cancel=cancel,
    )
    damaged = tried.result.damaged
    if damaged:
        raise IntegrityError(
            f"Of {tried.drawn:,} files, {len(damaged):,} could not be restored:"
            f" {', '.join(damaged[:3])}.",
            hint="everboot check --read-data tells what is damaged.",
        )
    return Ran(
        outcome=Outcome.DONE if tried.drawn else Outcome.INCOMPLETE,
        ended_at=now(),
        files=tried.result.files,
        bytes_read=tried.result.bytes,
        snapshot=tried.snapshot.id,
        made_at=tried.snapshot.time,
        omitted=tried.result.skipped,
        message="" if tried.drawn else "It holds no file that a trial could restore.",
    )
