"""``everboot forget``"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from backup_agent.cli import words
from backup_agent.cli.prune_command import prune_record
from backup_agent.cli.session import Session
from backup_agent.errors import UsageError
from backup_agent.model.duration import Duration
from backup_agent.model.retention import RetentionPolicy, parse_count, parse_group_by

if TYPE_CHECKING:
    from backup_agent.services.forget import ForgetDecision, ForgetOutcome, ForgetRequest

_PERIODS: Mapping[str, str] = {
    "last": "the newest N",
    "hourly": "the newest of each of N hours",
    "daily": "the newest of each of N days",
    "weekly": "the newest of each of N weeks",
    "monthly": "the newest of each of N months",
    "yearly": "the newest of each of N years",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("points", nargs="*", metavar="POINT", help="exactly these, by id")
    for period, what in _PERIODS.items():
        parser.add_argument(f"--keep-{period}", metavar="N", default="0", help=f"keep {what}")
    parser.add_argument(
        "--keep-within",
        metavar="DURATION",
        default="",
        help="keep what is so much older than the newest at most, like 1y2m3d4h",
    )
    parser.add_argument(
        "--keep-tag",
        action="append",
        default=[],
        metavar="TAG[,TAG…]",
        help="keep what has these tags; may be repeated",
    )
    parser.add_argument(
        "--host",
        action="append",
        default=[],
        metavar="NAME",
        help="only of this computer; may be repeated",
    )
    parser.add_argument(
        "--tag",
        action="append",
        default=[],
        metavar="TAG[,TAG…]",
        help="only with these tags; may be repeated",
    )
    parser.add_argument(
        "--path",
        action="append",
        default=[],
        metavar="PATH",
        help="only of this path; may be repeated",
    )
    parser.add_argument(
        "--group-by",
        metavar="WHAT",
        default="host,paths",
        help="apply the rules to each group of these (default: host,paths)",
    )
    parser.add_argument("--prune", action="store_true", help="free the space at once")
    parser.add_argument("-n", "--dry-run", action="store_true", help="show the plan, do nothing")


def run(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.services.forget import (
        plan_forgetting,
        preview_forget_and_prune,
        run_forget,
        run_forget_and_prune,
    )

    request = _request(args)
    now = datetime.now().astimezone()
    emit, cancel = session.render.emit, session.cancel

    def show(decision: ForgetDecision) -> None:
        _show_plan(decision, session, dry_run=args.dry_run)

    with session.opened(cached=False) as repository:
        if args.dry_run and not args.prune:
            show(plan_forgetting(repository, request, now=now, emit=emit))
        elif args.dry_run:
            outcome = preview_forget_and_prune(
                repository, request, now=now, emit=emit, cancel=cancel
            )
            show(outcome.decision)
            _show_prune(outcome, session)
        elif not args.prune:
            outcome = run_forget(
                repository, request, now=now, on_plan=show, emit=emit, cancel=cancel
            )
            _show_removed(outcome.decision, session)
        else:
            outcome = run_forget_and_prune(
                repository,
                request,
                now=now,
                on_plan=show,
                on_forgotten=lambda decision: _show_removed(decision, session),
                on_prune_plan=lambda _plan: None,
                emit=emit,
                cancel=cancel,
            )
            _show_prune(outcome, session)
    return 0


def _request(args: argparse.Namespace) -> ForgetRequest:
    from backup_agent.services.forget import ForgetByPolicy, ForgetPoints, PointFilter

    numbers = {period: parse_count(getattr(args, f"keep_{period}")) for period in _PERIODS}
    policy = RetentionPolicy(
        **numbers,
        within=Duration.parse(args.keep_within) if args.keep_within else None,
        tags=tuple(_tags(text) for text in args.keep_tag),
    )
    if args.points:
        if not policy.is_empty:
            raise UsageError("Restore points by id and rules to keep do not go together.")
        return ForgetPoints(tuple(args.points))
    return ForgetByPolicy(
        policy=policy,
        filter=PointFilter(
            hosts=tuple(args.host),
            tags=tuple(_tags(text) for text in args.tag),
            paths=tuple(args.path),
        ),
        group_by=parse_group_by(args.group_by),
    )


def _tags(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _show_plan(decision: ForgetDecision, session: Session, *, dry_run: bool) -> None:
    leaving = words.count(len(decision.remove), "restore point")
    verb = "would be removed" if dry_run else "to remove"
    session.render.show(
        {
            "message_type": "forget",
            "dry_run": dry_run,
            "keep": [
                {"id": kept.snapshot.id, "reasons": list(kept.reasons)}
                for kept in decision.plan.keep
            ],
            "remove": list(decision.remove),
        },
        f"{words.lines(str(decision))}\n{leaving} {verb}, {len(decision.plan.keep):,} to keep.",
    )


def _show_removed(decision: ForgetDecision, session: Session) -> None:
    session.render.show(
        {"message_type": "forgotten", "removed": list(decision.remove)},
        f"Removed {words.count(len(decision.remove), 'restore point')}.",
    )


def _show_prune(outcome: ForgetOutcome, session: Session) -> None:
    if outcome.prune is not None:
        session.render.show(prune_record(outcome.prune), words.lines(str(outcome.prune)))
