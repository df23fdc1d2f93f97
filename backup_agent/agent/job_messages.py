"""What the agent and the process of a job say to each other, over its standard input and output.

The agent sends a :class:`Job` and hears :class:`FromJob` until the one that says how the run
ended; one that says nothing is a sign of life. To stop it, the agent hangs up. Secrets travel
here, where no other user can look, and never in arguments or the environment.
"""

from __future__ import annotations

import msgspec

from backup_agent.agent.plan import Plan
from backup_agent.agent.ran import JobKind, Ran
from backup_agent.model.events import ItemSkipped, Notice, Progress


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One job, and the way to its repository. Limits in KiB/s; 0 is none, as are empty paths."""

    plan: Plan
    kind: JobKind
    address: str
    password: str
    environment: dict[str, str]
    cacert: str = ""
    limit_upload: int = 0
    limit_download: int = 0
    read_back: bool = False
    cache: str = ""

    def __repr__(self) -> str:
        return f"Job({self.kind} of {self.plan.name})"


class FromJob(msgspec.Struct, frozen=True, omit_defaults=True):
    """At most one of them."""

    progress: Progress | None = None
    skipped: ItemSkipped | None = None
    notice: Notice | None = None
    ran: Ran | None = None
