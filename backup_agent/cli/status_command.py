"""``everboot status``"""

from __future__ import annotations

import argparse
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING

from backup_agent.cli import words
from backup_agent.cli.session import Session

if TYPE_CHECKING:
    from backup_agent.agent.ledger import RunEntry

_SHOWN_RUNS = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-n", "--number", type=int, default=_SHOWN_RUNS, metavar="N", help="how many runs to show"
    )


def run(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.agent.plan import next_run
    from backup_agent.agent.plan_file import load_plans, plans_file
    from backup_agent.cli.agent_command import open_ledger

    now = datetime.now().astimezone()
    with closing(open_ledger(session)) as ledger:
        for plan in load_plans(plans_file(session.environment)):
            due = next_run(plan, ledger.last_start(plan), now=now)
            session.render.show(
                {"message_type": "plan", "name": plan.name, "next_run": due and due.isoformat()},
                f"{plan.name}: next {words.moment(due) if due else 'when asked'}",
            )
        runs = ledger.runs(limit=max(args.number, 0))
    for entry in runs:
        _show(entry, session)
    if not runs:
        session.render.say("No plan has run yet.")
    return 0


def _show(entry: RunEntry, session: Session) -> None:
    from backup_agent.agent.service import told

    ran = entry.ran
    session.render.show(
        {
            "message_type": "run",
            "id": entry.id,
            "plan": entry.plan_name,
            "started_at": entry.started_at.isoformat(),
            "outcome": ran.outcome.value if ran else "running",
            "snapshot_id": ran.snapshot if ran else "",
            "omissions": ran.omitted if ran else 0,
            "message": ran.message if ran else "",
        },
        f"{words.moment(entry.started_at)}  {entry.plan_name}: {told(ran) if ran else 'running.'}",
    )
