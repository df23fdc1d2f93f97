"""Our locks say more than restic's do; restic reads and honours them all the same."""

from __future__ import annotations

import os
from pathlib import Path

from backup_agent.repository.locks import RepositoryLock, find_locks
from backup_agent.storage.local import LocalBackend
from tests.points import back_up, new_repository
from tests.restic import Restic


def test_restic_reads_our_lock_and_waits_for_its_end(tmp_path: Path) -> None:
    place, source = tmp_path / "repository", tmp_path / "source"
    source.mkdir()
    (source / "file").write_text("content")
    repository = new_repository(LocalBackend(place))
    back_up(repository, source)
    restic = Restic(place)
    with RepositoryLock(repository, exclusive=True, settle_seconds=0):
        (lock,) = find_locks(repository)
        assert lock.lock is not None
        assert lock.lock.process is not None

        read = restic.json("cat", "lock", lock.name, "--no-lock")
        assert (read["exclusive"], read["pid"]) == (True, os.getpid())
        refusal = restic("backup", str(source), fails=True)
        assert f"already locked exclusively by PID {os.getpid()}" in refusal

    restic("backup", str(source))
    restic.check()
