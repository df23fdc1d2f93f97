"""The options that say what a plan does, and a plan with what they say."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backup_agent.agent.presets import EXCLUDES, RETENTION
from backup_agent.cli import plan_words
from backup_agent.errors import UsageError

if TYPE_CHECKING:
    from backup_agent.agent.conditions import Conditions
    from backup_agent.agent.plan import Checks, Plan
    from backup_agent.agent.schedule import Schedule
    from backup_agent.agent.storage_location import StorageLocation
    from backup_agent.model.retention import RetentionPolicy

_PERIODS = ("last", "hourly", "daily", "weekly", "monthly", "yearly")
_WHEN = ("every", "daily", "weekly", "monthly", "when_asked")
_CHOICES = ", ".join(EXCLUDES)
_YES_NO = argparse.BooleanOptionalAction


def add_plan_options(parser: argparse.ArgumentParser) -> None:
    """Each is None where it was not given, so that ``edit`` changes nothing else."""
    _add_what(parser.add_argument_group("what"))
    _add_when(parser.add_argument_group("when"))
    _add_where(parser.add_argument_group("where to"))
    _add_keep(parser.add_argument_group("how long, and whether it is proven"))


def _add_what(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--exclude", action="append", metavar="PATTERN", help="as in .gitignore")
    group.add_argument(
        "--leave-out",
        metavar="WHAT[,WHAT…]",
        help=f"usual choices: {_CHOICES}",
    )
    group.add_argument("--exclude-caches", action=_YES_NO, help="leave out tagged caches")
    group.add_argument(
        "-x", "--one-file-system", action=_YES_NO, help="do not go into other file systems"
    )
    group.add_argument("--disk", action="append", metavar="DISK", help="a whole disk; repeatable")
    group.add_argument("--machine", action="store_true", default=None, help="every fixed disk")
    group.add_argument(
        "--allow-mounted",
        action=_YES_NO,
        help="back up disks although they are in use: files being written may come out torn",
    )


def _add_when(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--every", type=int, metavar="HOURS", help="so long after the last start")
    group.add_argument("--hours", metavar="8:00-20:00", help="with --every: only between these")
    group.add_argument("--days", metavar="mon-fri", help="with --every: only on these")
    group.add_argument("--daily", metavar="HH:MM", help="every day at this time")
    group.add_argument("--weekly", metavar="DAYS@HH:MM", help="like mon,thu@18:00")
    group.add_argument("--monthly", metavar="DAY@HH:MM", help="like 1@18:00; 31 is the last day")
    group.add_argument("--when-asked", action="store_true", default=None, help="by no clock")
    group.add_argument("--on-start", action=_YES_NO, help="when the agent starts")
    group.add_argument("--on-plug", action=_YES_NO, help="when its disk is plugged in")
    group.add_argument("--not-on-battery", action=_YES_NO, help="wait for mains power")
    group.add_argument("--not-on-metered", action=_YES_NO, help="wait for another network")
    group.add_argument("--idle", type=int, metavar="MINUTES", help="wait until nobody works")
    group.add_argument(
        "--bandwidth",
        action="append",
        metavar="HOURS=UP/DOWN",
        help="KiB/s between two times, like 8:00-18:00=500/1000; repeatable",
    )


def _add_where(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--to", metavar="ADDRESS", help="repository (the agent's own, if not given)")
    group.add_argument(
        "--to-disk",
        metavar="FOLDER",
        help="a folder on a disk that is recognised by its id, wherever it is mounted",
    )
    group.add_argument(
        "--keep-secrets",
        action="store_true",
        help="let the agent keep the password, and credentials that the environment holds now",
    )


def _add_keep(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--keep",
        choices=("short", "balanced", "long", "everything"),
        help="14 days; 30 days and 12 months; 90 days, 2 years and 7 years; all",
    )
    for period in _PERIODS:
        group.add_argument(f"--keep-{period}", metavar="N", help=argparse.SUPPRESS)
    group.add_argument(
        "--check-weeks", type=int, metavar="N", help="read all data once in N weeks; 0: do not"
    )
    group.add_argument(
        "--trial-files", type=int, metavar="N", help="restore N files each month as a trial"
    )


def changed_plan(plan: Plan, args: argparse.Namespace) -> Plan:
    """The plan with what the options say. Raises ``UsageError``."""
    changes: dict[str, Any] = {**_what(args), **_simple(args)}
    if any(getattr(args, name) is not None for name in _WHEN):
        changes["schedule"] = _schedule(args)
    elif args.hours or args.days:
        raise UsageError("--hours and --days go with --every.")
    if args.to is not None or args.to_disk is not None:
        changes["location"] = _location(args)
    if args.bandwidth is not None:
        changes["bandwidth"] = tuple(map(plan_words.parse_bandwidth, args.bandwidth))
    if any(getattr(args, f"keep_{period}") is not None for period in _PERIODS) or args.keep:
        changes["retention"] = _retention(args)
    made = replace(plan, **changes)
    if made.allow_mounted and made.paths:
        raise UsageError("--allow-mounted is for disks.")
    return replace(made, conditions=_conditions(made, args), checks=_checks(made, args))


def _what(args: argparse.Namespace) -> dict[str, Any]:
    kinds = bool(args.paths) + bool(args.disk) + bool(args.machine)
    if kinds > 1:
        raise UsageError(
            "A plan backs up either paths, or disks, or the whole machine.",
            hint="everboot plan add NAME PATH …, or --disk DISK, or --machine",
        )
    if not kinds:
        return {}
    return {
        # An agent runs in another folder than the one in which this was typed.
        "paths": tuple(str(Path(path).absolute()) for path in args.paths),
        "disks": tuple(args.disk or ()),
        "machine": bool(args.machine),
    }


def _simple(args: argparse.Namespace) -> dict[str, Any]:
    """What is taken as it was given."""
    given = {
        "excludes": _excludes(args),
        "exclude_caches": args.exclude_caches,
        "one_file_system": args.one_file_system,
        "allow_mounted": args.allow_mounted,
        "on_start": args.on_start,
        "on_plug": args.on_plug,
    }
    return {name: value for name, value in given.items() if value is not None}


def _excludes(args: argparse.Namespace) -> tuple[str, ...] | None:
    if args.exclude is None and args.leave_out is None:
        return None
    patterns = list(args.exclude or ())
    for name in (args.leave_out or "").split(","):
        if name and name not in EXCLUDES:
            raise UsageError(f"{name!r} is no usual choice.", hint=f"There are: {_CHOICES}.")
        patterns += EXCLUDES.get(name, ())
    return tuple(dict.fromkeys(patterns))


def _schedule(args: argparse.Namespace) -> Schedule:
    from backup_agent.agent.schedule import Daily, EveryHours, OnRequest

    if sum(getattr(args, name) is not None for name in _WHEN) > 1:
        raise UsageError("A plan has one schedule.", hint="Make a second plan for a second one.")
    if args.daily is not None:
        return Daily(plan_words.parse_clock(args.daily))
    if args.weekly is not None:
        return plan_words.parse_weekly(args.weekly)
    if args.monthly is not None:
        return plan_words.parse_monthly(args.monthly)
    if not args.every:
        return OnRequest()
    if args.every < 0:
        raise UsageError("--every takes a number of hours.")
    days = plan_words.parse_days(args.days) if args.days else frozenset()
    if not args.hours:
        return EveryHours(args.every, days)
    begin, end = plan_words.parse_hours(args.hours)
    return EveryHours(args.every, days, begin, end)


def _location(args: argparse.Namespace) -> StorageLocation:
    from backup_agent.agent.storage_location import StorageLocation, location_on_disk

    if args.to is not None and args.to_disk is not None:
        raise UsageError("A plan's restore points go to one place.")
    if args.to_disk is not None:
        return location_on_disk(Path(args.to_disk).absolute())
    from backup_agent.services.repositories import embedded_credentials

    if embedded_credentials(args.to):
        raise UsageError(
            "A plan keeps no credentials inside its address.",
            hint="Set them in the environment, and add --keep-secrets.",
        )
    return StorageLocation(address=args.to)


def _retention(args: argparse.Namespace) -> RetentionPolicy | None:
    from backup_agent.model.retention import RetentionPolicy, parse_count

    numbers: dict[str, Any] = {
        period: parse_count(value)
        for period in _PERIODS
        if (value := getattr(args, f"keep_{period}")) is not None
    }
    if args.keep and numbers:
        raise UsageError("--keep is one of the usual choices; single rules go without it.")
    return replace(RetentionPolicy(), **numbers) if numbers else RETENTION.get(args.keep)


def _conditions(plan: Plan, args: argparse.Namespace) -> Conditions:
    given = {
        "not_on_battery": args.not_on_battery,
        "not_on_metered": args.not_on_metered,
        "idle_minutes": args.idle,
    }
    return replace(plan.conditions, **{k: v for k, v in given.items() if v is not None})


def _checks(plan: Plan, args: argparse.Namespace) -> Checks:
    given = {"read_back_weeks": args.check_weeks, "trial_files": args.trial_files}
    return replace(plan.checks, **{k: v for k, v in given.items() if v is not None})
