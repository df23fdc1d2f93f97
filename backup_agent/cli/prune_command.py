"""``everboot prune``"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from backup_agent.cli import words
from backup_agent.cli.session import Session

if TYPE_CHECKING:
    from backup_agent.services.prune import PrunePlan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--max-unused",
        type=_share,
        default=None,
        metavar="PERCENT",
        help="unneeded data that may stay, in percent of the repository (default: 5)",
    )
    parser.add_argument(
        "--allow-empty",
        action="store_true",
        help="delete all data where no restore point is left",
    )
    parser.add_argument("-n", "--dry-run", action="store_true", help="show the plan, do nothing")


def run(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.services.prune import MAX_UNUSED, preview_prune, run_prune

    max_unused = MAX_UNUSED if args.max_unused is None else args.max_unused
    emit, cancel = session.render.emit, session.cancel

    def show(plan: PrunePlan) -> None:
        session.render.show(prune_record(plan), words.lines(str(plan)))

    with session.opened(cached=False) as repository:
        if args.dry_run:
            plan = preview_prune(
                repository,
                allow_empty=args.allow_empty,
                max_unused=max_unused,
                emit=emit,
                cancel=cancel,
            )
            show(plan)
            return 0
        plan = run_prune(
            repository,
            allow_empty=args.allow_empty,
            max_unused=max_unused,
            on_plan=show,
            emit=emit,
            cancel=cancel,
        )
    session.render.show(
        {
            "message_type": "summary",
            "freed_bytes": plan.freed_bytes,
            "postponed_bytes": plan.postponed_bytes,
        },
        _summary(plan),
    )
    return 0


def _summary(plan: PrunePlan) -> str:
    freed = f"Freed {words.size(max(0, plan.freed_bytes))}."
    if not plan.postponed:
        return freed
    return (
        f"{freed} {words.size(plan.postponed_bytes)} more wait for a prune in some hours: this "
        "storage may show late what other runs have saved."
    )


def prune_record(plan: PrunePlan) -> dict[str, object]:
    return {
        "message_type": "prune_plan",
        "blobs_used": plan.used.count,
        "blobs_unused": plan.unused.count,
        "packs_keep": len(plan.keep),
        "packs_repack": len(plan.repack),
        "packs_delete": len(plan.delete),
        "packs_unindexed": len(plan.unindexed),
        "packs_postponed": len(plan.postponed),
        "bytes_repack": plan.repack_bytes,
        "bytes_freed": plan.freed_bytes,
        "bytes_postponed": plan.postponed_bytes,
    }


def _share(text: str) -> float:
    try:
        percent = float(text.removesuffix("%"))
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is no percentage")
    return percent / 100
