"""Jobs in processes of their own, as the agent sees them."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

import msgspec

from backup_agent.agent.agenda import Order
from backup_agent.agent.job_messages import FromJob, Job
from backup_agent.agent.ran import Outcome, Ran, failed
from backup_agent.errors import CommandFailedError, EverbootError
from backup_agent.host.command import Conversation
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit

if TYPE_CHECKING:
    from backup_agent.agent.plan_repositories import PlanRepositories

_MODULE = "backup_agent.agent.job_process"
_LARGEST_MESSAGE = 64 << 20
_SILENCE_SECONDS = 300.0
"""Signs of life come every ten seconds; a computer under water may be late with them."""


class SeparateJobs:
    """Does an order in a process that is started for it; see ``service.Work``."""

    def __init__(self, repositories: PlanRepositories, *, now: Callable[[], datetime]) -> None:
        self._repositories = repositories
        self._now = now

    def __call__(self, order: Order, emit: Emit, cancel: CancelToken) -> Ran:
        """Errors do not leave it: they are what became of the run."""
        try:
            job = self._job(order)
            with closing(_start()) as process:
                return _follow(process, job, emit, cancel)
        except CommandFailedError as exc:
            message = f"The process that did it is gone. {exc.message}"
            return Ran(outcome=Outcome.BROKEN_OFF, ended_at=self._now(), message=message)
        except EverbootError as exc:
            return failed(exc, self._now())

    def _job(self, order: Order) -> Job:
        """Raises ``TransientStorageError``, ``UsageError``, and what finding a password raises."""
        access = self._repositories.access(order.plan.location)
        options = access.options
        return Job(
            plan=order.plan,
            kind=order.kind,
            address=access.address,
            password=access.password(),
            environment=dict(access.environment),
            cacert=str(options.cacert or ""),
            limit_upload=options.limit_upload,
            limit_download=options.limit_download,
            read_back=options.read_back,
            cache=str(access.cache or ""),
        )


def _start() -> Conversation:
    package_parent = str(Path(__file__).resolve().parents[2])
    search_path = os.pathsep.join(filter(None, (package_parent, os.environ.get("PYTHONPATH"))))
    return Conversation(
        [sys.executable, "-m", _MODULE],
        environment={"PYTHONPATH": search_path},
        largest_message=_LARGEST_MESSAGE,
    )


def _follow(process: Conversation, job: Job, emit: Emit, cancel: CancelToken) -> Ran:
    process.send(msgspec.json.encode(job))
    over: SimpleQueue[None] = SimpleQueue()
    with cancel.waking(over):
        watch = threading.Thread(target=_stop_when_told, args=(process, over, cancel))
        watch.start()
        try:
            while True:
                told = msgspec.json.decode(
                    process.receive(timeout_seconds=_SILENCE_SECONDS), type=FromJob
                )
                if told.ran is not None:
                    return told.ran
                for event in (told.progress, told.skipped, told.notice):
                    if event is not None:
                        emit(event)
        finally:
            over.put(None)
            watch.join()


def _stop_when_told(process: Conversation, over: SimpleQueue[None], cancel: CancelToken) -> None:
    over.get()
    if cancel.cancelled:
        process.hang_up()
