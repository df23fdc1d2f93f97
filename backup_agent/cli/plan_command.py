"""``everboot plan``"""

from __future__ import annotations

import argparse
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from backup_agent.cli.session import Session
from backup_agent.errors import UsageError

if TYPE_CHECKING:
    from backup_agent.agent.plan import Plan

_EXIT_INCOMPLETE, _EXIT_FAILED, _EXIT_STOPPED = 3, 1, 130
_ACTIONS = ("list", "add", "remove", "run")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=_ACTIONS, metavar="|".join(_ACTIONS))
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="of the plan")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="what to back up, for add")
    parser.add_argument(
        "--every", type=int, default=0, metavar="HOURS", help="how often; else only when asked"
    )
    parser.add_argument(
        "--exclude", action="append", default=[], metavar="PATTERN", help="as in .gitignore"
    )
    parser.add_argument("--exclude-caches", action="store_true", help="leave out tagged caches")
    parser.add_argument(
        "-x", "--one-file-system", action="store_true", help="do not go into other file systems"
    )
    parser.add_argument(
        "--disk", action="append", default=[], metavar="DISK", help="a whole disk; repeatable"
    )
    parser.add_argument("--machine", action="store_true", help="every fixed disk")
    parser.add_argument(
        "--allow-mounted",
        action="store_true",
        help="back up disks although they are in use: files being written may come out torn",
    )


def run(args: argparse.Namespace, session: Session) -> int:
    if args.what != "list" and not args.name:
        raise UsageError("Which plan was not said.", hint=f"everboot plan {args.what} NAME")
    if args.what != "add" and args.paths:
        raise UsageError("Only everboot plan add takes paths.")
    match args.what:
        case "add":
            return _add(args, session)
        case "remove":
            return _remove(args.name, session)
        case "run":
            return _run(args.name, session)
        case _:
            return _list(session)


def _add(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.agent.assembly import plan_book

    plan = _plan(args)
    plan_book(session.environment).save(plan)
    _show(plan, session)
    return 0


def _plan(args: argparse.Namespace) -> Plan:
    from backup_agent.agent.plan import Plan
    from backup_agent.agent.schedule import EveryHours, OnRequest

    if args.allow_mounted and args.paths:
        raise UsageError("--allow-mounted is for disks.")
    if args.every < 0:
        raise UsageError("--every takes a number of hours.")
    return Plan(
        id=str(uuid.uuid4()),
        name=args.name,
        # An agent runs in another folder than the one in which this was typed.
        paths=tuple(str(Path(path).absolute()) for path in args.paths),
        excludes=tuple(args.exclude),
        exclude_caches=args.exclude_caches,
        one_file_system=args.one_file_system,
        disks=tuple(args.disk),
        machine=args.machine,
        allow_mounted=args.allow_mounted,
        schedule=EveryHours(args.every) if args.every else OnRequest(),
    )


def _remove(name: str, session: Session) -> int:
    from backup_agent.agent.assembly import plan_book

    gone, _left = plan_book(session.environment).remove(name)
    session.render.show(
        {"message_type": "plan_removed", "id": gone.id, "name": gone.name},
        f"The plan {gone.name} is gone. Its restore points stay.",
    )
    return 0


def _list(session: Session) -> int:
    from backup_agent.agent.plan_file import load_plans, plans_file

    plans = load_plans(plans_file(session.environment))
    for plan in plans:
        _show(plan, session)
    if not plans:
        session.render.say("No plan yet: everboot plan add NAME PATH …")
    return 0


def _run(name: str, session: Session) -> int:
    from backup_agent.agent.agenda import Order
    from backup_agent.agent.assembly import assembled
    from backup_agent.agent.ran import Outcome
    from backup_agent.agent.service import told
    from backup_agent.cli.agent_command import outside

    with assembled(outside(session), cancel=session.cancel) as parts:
        plan = parts.book.find(name)
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


def _show(plan: Plan, session: Session) -> None:
    often = f"every {plan.every_hours} h" if plan.every_hours else "when asked"
    if plan.allow_mounted:
        often += ", also while in use"
    session.render.show(
        {
            "message_type": "plan",
            "id": plan.id,
            "name": plan.name,
            "what": plan.what,
            "allow_mounted": plan.allow_mounted,
            "every_hours": plan.every_hours,
        },
        f"{plan.name}: {plan.what} ({often})",
    )
