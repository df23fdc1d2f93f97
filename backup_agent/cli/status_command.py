"""``everboot status``"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from backup_agent.cli import words
from backup_agent.cli.session import Session

if TYPE_CHECKING:
    from backup_agent.agent.desk import DeskState, PlanView, RunningJob
    from backup_agent.agent.ran import RunView

_SHOWN_RUNS = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-n", "--number", type=int, default=_SHOWN_RUNS, metavar="N", help="how many runs to show"
    )
    parser.add_argument("--log", type=int, metavar="N", help="the last N lines of the agent's log")


def run(args: argparse.Namespace, session: Session) -> int:
    """One sentence first: whether all is well."""
    from backup_agent.agent.ran import RunQuery
    from backup_agent.cli.agent_command import desk

    if args.log is not None:
        return _show_log(args.log, session)
    with desk(session) as at_desk:
        state = at_desk.state()
        runs = at_desk.runs(RunQuery(limit=max(args.number, 0))).runs
    _show_state(state, session)
    for view in state.plans:
        _show_plan(view, session)
    for job in state.running:
        _show_job(job, session)
    for entry in runs:
        _show_run(entry, session)
    if not runs:
        session.render.say("No plan has run yet.")
    return 0


def _show_state(state: DeskState, session: Session) -> None:
    last, due = state.last_good, state.next_run_at
    sentence = f"{state.verdict.value.capitalize()}."
    sentence += f" Last backup {words.moment(last.started_at)}" if last else " No backup yet"
    sentence += f", next {words.moment(due)}." if due else "."
    session.render.show(
        {
            "message_type": "state",
            "verdict": state.verdict.value,
            "last_good": last and last.started_at.isoformat(),
            "next_run": due and due.isoformat(),
            "paused_until": state.paused_until and state.paused_until.isoformat(),
        },
        sentence,
    )
    for concern in state.concerns:
        session.render.show(
            {
                "message_type": "concern",
                "kind": concern.kind.value,
                "verdict": concern.verdict.value,
                "message": concern.message,
                "hint": concern.hint,
                "remedy": concern.remedy.value,
            },
            f"  {concern.verdict.value.capitalize()}: {concern.message} {concern.hint}".rstrip(),
        )


def _show_plan(view: PlanView, session: Session) -> None:
    due = view.next_run_at
    text = f"next {words.moment(due)}" if due else "when asked"
    if view.waits_for is not None:
        text += f", waits for {view.waits_for.value}"
    if view.paused_until is not None:
        text = f"paused until {words.moment(view.paused_until)}"
    session.render.show(
        {
            "message_type": "plan",
            "name": view.plan.name,
            "next_run": due and due.isoformat(),
            "waits_for": view.waits_for and view.waits_for.value,
            "paused_until": view.paused_until and view.paused_until.isoformat(),
        },
        f"{view.plan.name}: {text}",
    )


def _show_job(job: RunningJob, session: Session) -> None:
    session.render.show(
        {
            "message_type": "running",
            "id": job.run_id,
            "plan": job.plan_name,
            "kind": job.kind.value,
            "bytes_done": job.bytes_done,
            "total_bytes": job.bytes_total,
        },
        f"{job.plan_name}: {job.kind.value} is running, {words.size(job.bytes_done)} done",
    )


def _show_run(entry: RunView, session: Session) -> None:
    from backup_agent.agent.told import told

    ran = entry.ran
    session.render.show(
        {
            "message_type": "run",
            "id": entry.id,
            "kind": entry.kind.value,
            "plan": entry.plan_name,
            "started_at": entry.started_at.isoformat(),
            "outcome": ran.outcome.value if ran else "running",
            "snapshot_id": ran.snapshot if ran else "",
            "omissions": ran.omitted if ran else 0,
            "message": ran.message if ran else "",
        },
        f"{words.moment(entry.started_at)}  {entry.plan_name}:"
        f" {told(ran, entry.kind) if ran else 'running.'}",
    )


def _show_log(count: int, session: Session) -> int:
    from backup_agent.agent.log import latest_lines, log_file

    for line in latest_lines(log_file(session.environment), count):
        session.render.show(
            {
                "message_type": "log",
                "time": line.at.isoformat(),
                "message": line.message,
                "path": line.path,
            },
            words.printable(str(line)),
        )
    return 0
