"""Boot repair on the rescue terminal.

python3 -m rescue_media.boot_repair /dev/sda [--dry-run]
"""

from __future__ import annotations

import argparse
import sys

from backup_agent.errors import EverbootError
from backup_agent.host.select import current_host
from backup_agent.model.cancel import CancelToken
from rescue_media.boot_repair.execute import Result, Workplace, execute_repair
from rescue_media.boot_repair.folders import MountedVolumes
from rescue_media.boot_repair.plan import plan_repair
from rescue_media.boot_repair.survey import survey_disk


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m rescue_media.boot_repair")
    parser.add_argument(
        "disk", metavar="DISK", help="the disk that shall start, for instance /dev/sda"
    )
    parser.add_argument("--dry-run", action="store_true", help="only show what would be done")
    args = parser.parse_args(arguments)
    try:
        return _repair(args.disk, dry_run=args.dry_run)
    except EverbootError as exc:
        _say(f"{exc.message} {exc.hint}".rstrip())
        return exc.exit_code


def _repair(disk: str, *, dry_run: bool) -> int:
    host, folders = current_host(), MountedVolumes(disk)
    facts = survey_disk(disk, host, folders)
    plan = plan_repair(facts)
    if dry_run:
        for line in plan.lines():
            _say(line)
        return 0
    for warning in plan.warnings:
        _say(f"Note: {warning}")
    failed = 0
    for outcome in execute_repair(plan, Workplace(facts, host, folders), cancel=CancelToken()):
        _say(f"{outcome.result.value.capitalize()}: {outcome.title}. {outcome.words}".rstrip())
        failed += outcome.result is Result.FAILED
    return 1 if failed else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
