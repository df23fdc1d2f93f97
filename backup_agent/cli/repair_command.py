"""``everboot repair``"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from backup_agent.cli import words
from backup_agent.cli.session import Session

if TYPE_CHECKING:
    from backup_agent.services.repair import RepairPlan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what", choices=["index"], metavar="index", help="rebuild the index from the packs"
    )
    parser.add_argument(
        "--read-packs",
        action="store_true",
        help="read every pack and give up the blobs that are damaged; the next backup saves them "
        "again as far as their files are still there",
    )
    parser.add_argument("-n", "--dry-run", action="store_true", help="show the plan, do nothing")


def run(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.services.repair import preview_repair_index, run_repair_index

    emit, cancel = session.render.emit, session.cancel

    def show(plan: RepairPlan) -> None:
        session.render.show(
            {
                "message_type": "repair_plan",
                "packs_kept": plan.keep,
                "packs_taken_up": len(plan.take_up),
                "packs_gone": len(plan.drop),
                "packs_damaged": len(plan.salvage),
                "points_touched": [point.snapshot.id for point in plan.touched],
                "findings": [finding.told for finding in plan.findings],
                "damaged_index_files": list(plan.damaged_index_files),
                "dry_run": args.dry_run,
            },
            words.lines(str(plan)),
        )

    with session.opened(cached=False) as repository:
        if args.dry_run:
            show(
                preview_repair_index(
                    repository, read_packs=args.read_packs, emit=emit, cancel=cancel
                )
            )
            return 0
        plan = run_repair_index(
            repository, read_packs=args.read_packs, on_plan=show, emit=emit, cancel=cancel
        )
    session.render.say("The index was true already." if plan.is_empty else "The index is new.")
    return 0
