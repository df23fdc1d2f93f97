"""Opening a plan's repository, at the pace that the plan allows at this hour."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from backup_agent.agent.conditions import bandwidth_at
from backup_agent.agent.plan import Plan
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit
from backup_agent.services.repositories import Access, Repository, local_folder, opened


class PlanAccess:
    """See ``carry_out.Repositories``. ``now`` tells the time of day on people's clocks."""

    def __init__(self, access: Access, *, now: Callable[[], datetime]) -> None:
        self._access = access
        self._now = now

    def folder(self, _plan: Plan) -> Path | None:
        return local_folder(self._access.address)

    @contextmanager
    def opened(self, plan: Plan, *, emit: Emit, cancel: CancelToken) -> Iterator[Repository]:
        def rates() -> tuple[int, int]:
            limit = bandwidth_at(plan.bandwidth, self._now().time())
            return limit.upload, limit.download

        options = self._access.options
        if plan.bandwidth:
            options = replace(options, rates=rates)
        access = replace(self._access, options=options)
        with opened(access, emit=emit, cancel=cancel) as repository:
            yield repository
