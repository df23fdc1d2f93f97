"""A run that is cancelled, fails or is locked out leaves earlier restore points whole."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backup_agent.errors import (
    JobCancelledError,
    RepositoryLockedError,
    StorageError,
)
from backup_agent.model.cancel import CancelToken
from backup_agent.model.node import Node
from backup_agent.repository.locks import RepositoryLock, find_locks
from backup_agent.repository.repository import Repository
from backup_agent.sources.entry import Entry
from backup_agent.sources.tree import FileTree
from backup_agent.storage.faulty import FaultyBackend, Moment
from backup_agent.storage.memory import MemoryBackend
from tests.points import (
    back_up,
    holdings,
    new_repository,
)
from tests.trees import Content, File, Folder, plant
from tests.unit.services.backup.watched_tree import (
    assert_holds,
)


@given(steps=st.integers(0, 40))
@settings(max_examples=12, deadline=None)
def test_a_cancelled_run_leaves_no_point_and_the_next_one_works(
    tmp_path_factory: pytest.TempPathFactory, steps: int
) -> None:
    folder = tmp_path_factory.mktemp("cancel") / "source"
    plant(Folder({b"%d" % n: File(Content(n, 100)) for n in range(1, 20)}), bytes(folder))
    repository = new_repository()
    cancel = CancelToken()
    left = [steps]

    class Cancelling(FileTree):
        def complete(self, entry: Entry) -> Node:
            left[0] -= 1
            if left[0] < 0:
                cancel.cancel()
            return super().complete(entry)

    try:
        back_up(repository, Cancelling([str(folder)]), cancel=cancel)
    except JobCancelledError:
        assert repository.snapshots() == []
    else:
        assert not cancel.cancelled
        assert len(repository.snapshots()) == 1
    assert find_locks(repository) == []

    assert_holds(holdings(repository, back_up(repository, folder).snapshot), folder)


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("for_good", [True, False])
def test_storage_that_fails_at_any_operation_leaves_earlier_points_whole(
    source: Path, moment: Moment, for_good: bool
) -> None:
    backend = MemoryBackend()
    repository = new_repository(backend)
    first = back_up(repository, source).snapshot
    held = holdings(repository, first)
    (source / "new").write_bytes(Content(7, 100_000).bytes())
    before = dict(backend.objects)
    counting = FaultyBackend(backend)
    back_up(replace_backend(repository, counting), source)
    assert counting.operations >= 5

    for number in range(1, counting.operations + 1):
        backend.objects = dict(before)
        faulty = FaultyBackend(backend, fail_at=number, moment=moment, for_good=for_good)
        with contextlib.suppress(StorageError):
            back_up(replace_backend(repository, faulty), source)
        assert first in repository.snapshots()
        assert holdings(repository, first) == held
        for point in repository.snapshots():
            holdings(repository, point)
        # The lock of a run that failed in this process is a living one: it shares.
        again = back_up(repository, source)
        assert_holds(holdings(repository, again.snapshot), source)


def replace_backend(repository: Repository, backend: FaultyBackend) -> Repository:
    return Repository(backend, repository.config, repository.master, repository.key_name)


def test_a_locked_repository_is_refused(repository: Repository, source: Path) -> None:
    with (
        RepositoryLock(repository, exclusive=True, settle_seconds=0),
        pytest.raises(RepositoryLockedError),
    ):
        back_up(repository, source)
    assert repository.snapshots() == []
    assert back_up(repository, source).complete
