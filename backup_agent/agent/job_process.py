"""The process of one job, started by ``python -m``.

A backup needs ten times the memory of an agent that waits, and what it reads may crash what
reads it. Here both cost this process, which is gone when the job is over. It ends in good order
when it is told to, and when the agent is gone: nobody would note what it does.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import assert_never

import msgspec

from backup_agent.agent.agenda import Order
from backup_agent.agent.carry_out import carry_out
from backup_agent.agent.job_messages import FromJob, Job
from backup_agent.agent.plan_access import PlanAccess
from backup_agent.host.select import current_senses
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Event, ItemSkipped, Notice, Progress
from backup_agent.services.repositories import Access, StorageOptions

_PREFIX = 4
_PROGRESS_SECONDS = 0.1
_SIGN_OF_LIFE_SECONDS = 10.0


def main() -> None:
    """Do the job that is told on standard input."""
    # restic's unlock sends it to whoever holds a lock, to see whether they live.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    gc.set_threshold(100_000, 20, 50)
    outlet = os.dup(1)
    # Whatever prints to standard output from here on must not get between the messages.
    os.dup2(2, 1)
    job = msgspec.json.decode(_receive(0), type=Job)
    cancel = CancelToken()
    threading.Thread(target=_cancel_when_told, args=(cancel,), daemon=True).start()
    with _Speaker(outlet) as speaker:
        ran = carry_out(
            Order(job.plan, job.kind),
            PlanAccess(_access(job), now=_now),
            emit=speaker.tell,
            cancel=cancel,
            now=_now,
        )
        speaker.say(FromJob(ran=ran))


class _Speaker:
    """Several threads tell of what happens; a silent job gives signs of life."""

    def __init__(self, outlet: int) -> None:
        self._outlet = outlet
        self._lock = threading.Lock()
        self._next_progress = 0.0
        self._over = threading.Event()
        self._beat = threading.Thread(target=self._live, daemon=True)

    def __enter__(self) -> _Speaker:
        self._beat.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._beat.join()

    def tell(self, event: Event) -> None:
        match event:
            case Progress():
                now = time.monotonic()
                if now >= self._next_progress:
                    self._next_progress = now + _PROGRESS_SECONDS
                    self.say(FromJob(progress=event))
            case ItemSkipped():
                self.say(FromJob(skipped=event))
            case Notice(message):
                self.say(FromJob(notice=Notice(message)))
            case _:
                assert_never(event)

    def say(self, message: FromJob) -> None:
        content = msgspec.json.encode(message)
        with self._lock:
            pending = memoryview(len(content).to_bytes(_PREFIX, "little") + content)
            while pending:
                pending = pending[os.write(self._outlet, pending) :]

    def _live(self) -> None:
        while not self._over.wait(_SIGN_OF_LIFE_SECONDS):
            self.say(FromJob())


def _access(job: Job) -> Access:
    return Access(
        address=job.address,
        password=lambda: job.password,
        environment=job.environment,
        options=StorageOptions(
            cacert=Path(job.cacert) if job.cacert else None,
            limit_upload=job.limit_upload,
            limit_download=job.limit_download,
            read_back=job.read_back,
        ),
        cache=Path(job.cache) if job.cache else None,
    )


def _now() -> datetime:
    return datetime.now(current_senses().zone())


def _cancel_when_told(cancel: CancelToken) -> None:
    """The agent hangs up to stop us; and so it does when it is killed."""
    os.read(0, 1)
    cancel.cancel()


def _receive(inlet: int) -> bytes:
    return _read(inlet, int.from_bytes(_read(inlet, _PREFIX), "little"))


def _read(inlet: int, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        piece = os.read(inlet, size - len(data))
        if not piece:
            raise SystemExit(1)
        data += piece
    return bytes(data)


if __name__ == "__main__":
    main()
