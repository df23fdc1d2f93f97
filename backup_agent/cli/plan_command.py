"""``everboot plan``"""

from __future__ import annotations

import argparse
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from backup_agent.cli import plan_words, words
from backup_agent.cli.plan_options import add_plan_options, changed_plan
from backup_agent.cli.session import Session
from backup_agent.errors import UsageError

if TYPE_CHECKING:
    from backup_agent.agent.desk import Desk, Secrets
    from backup_agent.agent.plan import Plan

_EXIT_INCOMPLETE, _EXIT_FAILED, _EXIT_STOPPED = 3, 1, 130
_CREDENTIALS = ("AWS_", "OS_", "ST_", "EVERBOOT_REST_", "EVERBOOT_WEBDAV_", "RESTIC_REST_")
_MORNING_HOUR = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=tuple(_ACTIONS), metavar="|".join(_ACTIONS))
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="of the plan")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="what to back up")
    parser.add_argument("--rename", metavar="NAME", help="for edit")
    parser.add_argument(
        "--for", dest="for_hours", type=float, metavar="HOURS", help="for pause (until tomorrow)"
    )
    add_plan_options(parser)


def run(args: argparse.Namespace, session: Session) -> int:
    if args.what not in ("list", "pause", "resume") and not args.name:
        raise UsageError("Which plan was not said.", hint=f"everboot plan {args.what} NAME")
    if args.what not in ("add", "edit") and args.paths:
        raise UsageError("Only everboot plan add and edit take paths.")
    return _ACTIONS[args.what](args, session)


def _add(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.agent.plan import Plan
    from backup_agent.cli.agent_command import desk

    plan = changed_plan(Plan(id=str(uuid.uuid4()), name=args.name), args)
    with desk(session) as at_desk:
        at_desk.save_plan(plan, _secrets(plan, args, session))
    _show(plan, session)
    return 0


def _edit(args: argparse.Namespace, session: Session) -> int:
    from dataclasses import replace

    from backup_agent.cli.agent_command import desk

    with desk(session) as at_desk:
        plan = changed_plan(_find(at_desk, args.name), args)
        plan = replace(plan, name=args.rename or plan.name)
        at_desk.save_plan(plan, _secrets(plan, args, session))
    _show(plan, session)
    return 0


def _remove(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.cli.agent_command import desk

    with desk(session) as at_desk:
        gone = _find(at_desk, args.name)
        at_desk.remove_plan(gone.id)
    session.render.show(
        {"message_type": "plan_removed", "id": gone.id, "name": gone.name},
        f"The plan {gone.name} is gone. Its restore points stay.",
    )
    return 0


def _list(args: argparse.Namespace, session: Session) -> int:
    del args
    from backup_agent.cli.agent_command import desk

    with desk(session) as at_desk:
        state = at_desk.state()
    for view in state.plans:
        _show(view.plan, session)
    if not state.plans:
        session.render.say("No plan yet: everboot plan add NAME PATH …")
    return 0


def _run(args: argparse.Namespace, session: Session) -> int:
    """Here and now, beside whatever the agent does."""
    from backup_agent.agent.agenda import Order
    from backup_agent.agent.assembly import assembled
    from backup_agent.agent.ran import Outcome
    from backup_agent.agent.told import told
    from backup_agent.cli.agent_command import outside

    with assembled(outside(session), cancel=session.cancel) as parts:
        plan = parts.book.find(args.name)
        ran = parts.run_here(Order(plan, asked=True))
    session.render.show(
        {
            "message_type": "summary",
            "plan": plan.name,
            "outcome": ran.outcome.value,
            "snapshot_id": ran.snapshot,
            "omissions": ran.omitted,
        },
        f"{plan.name}: {told(ran)}",
    )
    codes = {
        Outcome.DONE: 0,
        Outcome.INCOMPLETE: _EXIT_INCOMPLETE,
        Outcome.STOPPED: _EXIT_STOPPED,
    }
    return codes.get(ran.outcome, _EXIT_FAILED)


def _preview(args: argparse.Namespace, session: Session) -> int:
    """What the plan's retention would do now, with changes that the options name."""
    from backup_agent.cli.agent_command import desk

    with desk(session) as at_desk:
        plan = changed_plan(_find(at_desk, args.name), args)
        preview = at_desk.preview_retention(plan)
    for verb, points in (("keep", preview.keep), ("remove", preview.remove)):
        for point in points:
            session.render.show(
                {
                    "message_type": "point",
                    "action": verb,
                    "id": point.snapshot,
                    "time": point.made_at.isoformat(),
                    "reasons": list(point.reasons),
                },
                f"{verb:<6} {point.snapshot[:8]}  {words.moment(point.made_at)}"
                f"  {', '.join(point.reasons)}".rstrip(),
            )
    session.render.say(
        f"Of the plan's restore points, {len(preview.keep):,} stay and {len(preview.remove):,} go."
    )
    return 0


def _pause(args: argparse.Namespace, session: Session) -> int:
    now = datetime.now().astimezone()
    if args.for_hours is not None:
        until = now + timedelta(hours=args.for_hours)
    else:
        until = (now + timedelta(days=1)).replace(
            hour=_MORNING_HOUR, minute=0, second=0, microsecond=0
        )
    return _set_pause(args, session, until)


def _resume(args: argparse.Namespace, session: Session) -> int:
    return _set_pause(args, session, None)


def _set_pause(args: argparse.Namespace, session: Session, until: datetime | None) -> int:
    from backup_agent.cli.agent_command import desk

    with desk(session) as at_desk:
        plan = _find(at_desk, args.name) if args.name else None
        at_desk.pause_until(until, plan_id=plan.id if plan else "")
    which = plan.name if plan else "All plans"
    session.render.show(
        {"message_type": "pause", "plan": plan and plan.name, "until": until and until.isoformat()},
        f"{which}: paused until {words.moment(until)}." if until else f"{which}: not paused.",
    )
    return 0


_ACTIONS: Mapping[str, Callable[[argparse.Namespace, Session], int]] = {
    "list": _list,
    "add": _add,
    "edit": _edit,
    "remove": _remove,
    "run": _run,
    "preview": _preview,
    "pause": _pause,
    "resume": _resume,
}


def _find(at_desk: Desk, name: str) -> Plan:
    from backup_agent.agent.plan_file import find_plan

    return find_plan([view.plan for view in at_desk.state().plans], name)


def _secrets(plan: Plan, args: argparse.Namespace, session: Session) -> Secrets | None:
    """What the command line was given to open the plan's repository, if the agent is to keep it."""
    from backup_agent.agent.desk import Secrets

    if not args.keep_secrets:
        return None
    variables = {
        name: value
        for name, value in session.environment.items()
        if value and name.startswith(_CREDENTIALS)
    }
    return Secrets(session.password(str(plan.location)), variables)


def _show(plan: Plan, session: Session) -> None:
    often = plan_words.told_schedule(plan.schedule)
    if plan.allow_mounted:
        often += ", also while in use"
    session.render.show(
        {
            "message_type": "plan",
            "id": plan.id,
            "name": plan.name,
            "what": plan.what,
            "where": str(plan.location),
            "schedule": often,
            "allow_mounted": plan.allow_mounted,
            "every_hours": plan.every_hours,
        },
        f"{plan.name}: {plan.what} to {plan.location} ({often})",
    )
