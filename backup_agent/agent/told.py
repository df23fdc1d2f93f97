"""Runs in words, for logs and the command line."""

from __future__ import annotations

from typing import assert_never

from backup_agent.agent.ran import JobKind, Outcome, Ran

DOING = {
    JobKind.BACKUP: "backing up",
    JobKind.TIDY: "removing what need not be kept of",
    JobKind.CHECK: "checking the restore points of",
    JobKind.TRIAL: "restoring as a trial some of",
}


def told(ran: Ran, kind: JobKind = JobKind.BACKUP) -> str:
    """A sentence about how a run ended."""
    match ran.outcome:
        case Outcome.DONE | Outcome.INCOMPLETE:
            return _told_good(ran, kind)
        case Outcome.FAILED:
            return f"failed. {ran.message} {ran.hint}".rstrip()
        case Outcome.STOPPED:
            return "stopped as asked. Earlier restore points are whole."
        case Outcome.BROKEN_OFF:
            return f"broken off. {ran.message}"
        case _:
            assert_never(ran.outcome)


def _told_good(ran: Ran, kind: JobKind) -> str:
    match kind:
        case JobKind.BACKUP if ran.outcome is Outcome.DONE:
            return f"restore point {ran.snapshot[:8]} saved."
        case JobKind.BACKUP:
            left_out = "1 item was" if ran.omitted == 1 else f"{ran.omitted:,} items were"
            return f"restore point {ran.snapshot[:8]} saved, but {left_out} left out."
        case JobKind.TIDY:
            return (
                "1 restore point removed."
                if ran.removed == 1
                else (f"{ran.removed:,} restore points removed.")
            )
        case JobKind.CHECK:
            return "checked, and nothing is wrong."
        case JobKind.TRIAL:
            return f"{ran.files:,} files restored as a trial, all whole."
        case _:
            assert_never(kind)
