"""Locks as restic keeps them, so that both tools can work on one repository.

A run writes a small file that says who it is, and a new one every five minutes
while it works. Many may share the repository; one that prunes wants it alone.
A file whose process is certainly dead, or that is half an hour old, is left over
from a crash: the next run removes it itself.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType

from backup_agent.errors import (
    EverbootError,
    IntegrityError,
    ObjectNotFoundError,
    RepositoryLockedError,
)
from backup_agent.format.lock import Lock, decode_lock, encode_lock
from backup_agent.repository.keys import current_user
from backup_agent.repository.process import is_dead, is_seen, own_mark
from backup_agent.repository.repository import Repository
from backup_agent.storage.backend import FileKind, ObjectKey

REFRESH_SECONDS = 5 * 60
STALE_AFTER = timedelta(minutes=30)
SILENT_AFTER = timedelta(minutes=12)
"""Two refreshes missed, with room for clocks that differ: enough where a lock names this host."""
_SETTLE_SECONDS = 0.2
"""Two runs may write their locks at one moment: each looks again a little later, as restic does."""
_PARTING_SECONDS = 5.0
"""How long a refresh under way may keep the end of a run waiting; then it tidies up by itself."""


@dataclass(frozen=True, slots=True)
class FoundLock:
    """A lock file and what it says; ``lock`` is ``None`` for one that is damaged."""

    name: str
    lock: Lock | None


class RepositoryLock:
    """Holds a lock while in its ``with`` block, refreshing it from a thread of its own."""

    def __init__(
        self,
        repository: Repository,
        *,
        exclusive: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        refresh_seconds: float = REFRESH_SECONDS,
        settle_seconds: float = _SETTLE_SECONDS,
        parting_seconds: float = _PARTING_SECONDS,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        """``meanwhile``: work under the lock that can be done, and undone, before it is certain."""
        self._repository = repository
        self._exclusive = exclusive
        self._now = now
        self._refresh_seconds = refresh_seconds
        self._settle_seconds = settle_seconds
        self._parting_seconds = parting_seconds
        self._meanwhile = meanwhile
        self._name = ""
        self._outdated: set[str] = set()
        """Own files to remove: one that storage did not let go is tried again."""
        self._refreshed = now()
        self._lost = False
        self._turn = threading.Lock()
        self._released = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> RepositoryLock:
        self._refuse_conflict()
        self._name, self._refreshed = self._write()
        try:
            settled = time.monotonic() + self._settle_seconds
            self._meanwhile()
            self._released.wait(max(settled - time.monotonic(), 0))
            self._refuse_conflict()
        except BaseException:
            self._remove(self._name)
            raise
        self._thread = threading.Thread(target=self._keep, name="lock", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._released.set()
        if self._thread is not None:
            self._thread.join(self._parting_seconds)
        self._outdated.add(self._name)
        failure = self._remove_outdated()
        # The work is done; what stays behind is stale in half an hour.
        if failure is not None and error is None and self._exclusive:
            raise failure

    def ensure_held(self) -> None:
        """Asked before anything is committed. Raises ``RepositoryLockedError`` once the lock
        was lost (a computer that slept): another run may have pruned what this one relies on.
        """
        with self._turn:
            if self._lost or self._now() - self._refreshed >= STALE_AFTER:
                self._refresh()
            else:
                # Another computer of the same name, or a wrong clock, may have taken it for dead.
                self._require_present(self._name)

    def _refuse_conflict(self) -> None:
        names = _lock_names(self._repository)
        if self._exclusive and self._name and self._name not in names:
            raise RepositoryLockedError(
                f"{self._repository.location} does not list the lock that this run wrote there, "
                "so those of other runs may be hidden, too.",
                hint="Run it again in some minutes; object stores may need them to agree with "
                "themselves.",
            )
        for found in _read_locks(self._repository, [n for n in names if n != self._name]):
            if is_stale(found.lock, now=self._now()):
                self._remove(found.name)
            elif found.lock is not None and (self._exclusive or found.lock.exclusive):
                raise locked_by(found.lock, self._repository.location)

    def _keep(self) -> None:
        while not self._released.wait(self._refresh_seconds):
            try:
                with self._turn:
                    self._refresh()
            except RepositoryLockedError:
                return
            except EverbootError:
                # Storage may be away for a while; ensure_held decides before a commit.
                continue

    def _refresh(self) -> None:
        """Write a new file for the old one, unless that was removed: a new file would only
        hide that another run had the repository alone meanwhile.
        """
        old = self._name
        self._require_present(old)
        name, time = self._write()
        try:
            # Removed between the look and the write, it was lost all the same.
            self._require_present(old)
        except EverbootError:
            self._outdated.add(name)
            self._remove_outdated()
            raise
        self._name, self._refreshed = name, time
        self._outdated.add(old)
        if self._released.is_set():
            # The run ended without waiting for this, and may have known the old name only.
            self._outdated.add(name)
        self._remove_outdated()

    def _require_present(self, name: str) -> None:
        """Once lost, it stays lost, whatever storage says later."""
        if not self._lost:
            try:
                self._repository.backend.size(ObjectKey(FileKind.LOCK, name))
            except ObjectNotFoundError:
                self._lost = True
        if self._lost:
            raise RepositoryLockedError(
                "The lock on the repository was lost while this run could not refresh it.",
                hint="Run it again; what was saved already is found again.",
            )

    def _remove_outdated(self) -> EverbootError | None:
        """Returns the last failure: the lock is held as well with an old file beside it."""
        failure: EverbootError | None = None
        for name in list(self._outdated):
            try:
                self._remove(name)
            except EverbootError as exc:
                failure = exc
            else:
                self._outdated.discard(name)
        return failure

    def _write(self) -> tuple[str, datetime]:
        lock = Lock(
            time=self._now(),
            exclusive=self._exclusive,
            hostname=socket.gethostname(),
            username=current_user(),
            pid=os.getpid(),
            uid=os.getuid() if hasattr(os, "getuid") else 0,
            gid=os.getgid() if hasattr(os, "getgid") else 0,
            process=own_mark(),
        )
        return self._repository.save_file(FileKind.LOCK, encode_lock(lock)), lock.time

    def _remove(self, name: str) -> None:
        self._repository.backend.remove(ObjectKey(FileKind.LOCK, name))


def find_locks(repository: Repository) -> list[FoundLock]:
    """Every lock file; ones that vanish while we look are left out."""
    return list(_read_locks(repository, _lock_names(repository)))


def _lock_names(repository: Repository) -> list[str]:
    return [info.name for info in repository.backend.list(FileKind.LOCK)]


def _read_locks(repository: Repository, names: Iterable[str]) -> Iterator[FoundLock]:
    for name in names:
        try:
            lock = decode_lock(repository.load_file(ObjectKey(FileKind.LOCK, name)))
        except ObjectNotFoundError:
            continue
        except IntegrityError:
            yield FoundLock(name, None)
        else:
            yield FoundLock(name, lock)


def is_stale(lock: Lock | None, *, now: datetime) -> bool:
    """Whether the run that wrote it cannot be alive. A damaged file locks nothing: a crash
    on a backend that is not atomic leaves such.

    Of this host's locks, those of an earlier boot and restic's own do not prove that their
    process is dead, for another computer may have the same name. Whoever lives refreshes,
    so these lapse once two refreshes are missing and no such process is seen here.
    """
    if lock is None or now - lock.time > STALE_AFTER:
        return True
    if lock.hostname != socket.gethostname():
        return False
    if is_dead(lock.pid, lock.process):
        return True
    return now - lock.time > SILENT_AFTER and not is_seen(lock.pid, lock.process)


def remove_locks(repository: Repository, *, every: bool, now: datetime) -> int:
    """Remove the stale locks, or all; returns how many."""
    wanted = [f.name for f in find_locks(repository) if every or is_stale(f.lock, now=now)]
    for name in wanted:
        repository.backend.remove(ObjectKey(FileKind.LOCK, name))
    return len(wanted)


def locked_by(lock: Lock, location: str) -> RepositoryLockedError:
    how = "alone " if lock.exclusive else ""
    return RepositoryLockedError(
        f"{location} is locked: {lock.username} on {lock.hostname} (process {lock.pid}) "
        f"uses it {how}since {lock.time:%Y-%m-%d %H:%M:%S %Z}.",
        hint="Wait until that run has ended. If it is dead, the lock lapses after 30 minutes; "
        "everboot unlock --remove-all removes it at once.",
    )
