"""``everboot status``"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from backup_agent.cli import words
from backup_agent.cli.session import Session

if TYPE_CHECKING:
    from backup_agent.agent.ran import RunView

_SHOWN_RUNS = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-n", "--number", type=int, default=_SHOWN_RUNS, metavar="N", help="how many runs to show"
    )


def run(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.agent.assembly import assembled
    from backup_agent.agent.ran import RunQuery
    from backup_agent.cli.agent_command import outside

    with assembled(outside(session), cancel=session.cancel) as parts:
        state = parts.desk.state()
        runs = parts.desk.runs(RunQuery(limit=max(args.number, 0))).runs
    for view in state.plans:
        due = view.next_run_at
        session.render.show(
            {
                "message_type": "plan",
                "name": view.plan.name,
                "next_run": due and due.isoformat(),
            },
            f"{view.plan.name}: next {words.moment(due) if due else 'when asked'}",
        )
    for entry in runs:
        _show(entry, session)
    if not runs:
        session.render.say("No plan has run yet.")
    return 0


def _show(entry: RunView, session: Session) -> None:
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
