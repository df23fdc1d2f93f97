"""Fail at operation N, for every N, of a story with everything in it (SQLite's way of testing).

Whatever breaks off, every restore point that was there and not forgotten reads
back byte for byte, and the same jobs run through when they are run again.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from backup_agent.errors import RepositoryLockedError, StorageError
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.locks import remove_locks
from backup_agent.repository.repository import Repository
from backup_agent.storage.backend import Backend, FileKind
from backup_agent.storage.faulty import FaultyBackend, Moment
from backup_agent.storage.memory import MemoryBackend

from .workshop import (
    NOW,
    back_up,
    check,
    contents,
    create,
    data_of,
    fill,
    forget,
    names,
    prune,
    reopen,
    repair,
)


@dataclass
class Story:
    """Two restore points stand; then one goes, space is freed, and a third one comes."""

    folder: Path
    start: dict[str, bytes] = field(default_factory=dict)
    first: Snapshot = field(init=False)
    second: Snapshot = field(init=False)
    expected: dict[str, dict[bytes, bytes]] = field(default_factory=dict)

    def begin(self) -> None:
        backend = MemoryBackend()
        repository = create(backend)
        fill(self.folder, "both", "first only")
        self.first = back_up(repository, self.folder)
        (self.folder / "first only").unlink()
        fill(self.folder, "second")
        self.second = back_up(repository, self.folder)
        self.expected = {
            point.id: contents(repository, point) for point in (self.first, self.second)
        }
        fill(self.folder, "third")
        self.start = dict(backend.objects)

    def go_on(self, backend: Backend) -> None:
        """What may break off anywhere. A job that ran through already is not repeated."""
        repository = reopen(backend)
        if self.first.id in names(backend, FileKind.SNAPSHOT):
            forget(repository, self.first)
        prune(repository)
        repair(repository)
        back_up(repository, self.folder)
        prune(repository)


@pytest.fixture
def story(tmp_path: Path) -> Story:
    story = Story(tmp_path / "source")
    story.begin()
    return story


def leave_for_dead(backend: MemoryBackend) -> Repository:
    """The process is gone, so its lock is stale; in this test it is the same one that goes on."""
    repository = reopen(backend)
    remove_locks(repository, every=True, now=NOW)
    return repository


@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("for_good", [True, False])
def test_every_point_survives_a_failure_at_every_operation(
    story: Story, moment: Moment, for_good: bool
) -> None:
    counting = FaultyBackend(memory(story.start))
    story.go_on(counting)
    assert counting.operations > 30

    for fail_at in range(1, counting.operations + 1):
        backend = memory(story.start)
        faulty = FaultyBackend(backend, fail_at=fail_at, moment=moment, for_good=for_good)
        # A backup whose work is done does not fail for a lock it could not release. Its process
        # lives on here, so the lock it left behind refuses the next job.
        with contextlib.suppress(StorageError, RepositoryLockedError):
            story.go_on(faulty)
        repository = leave_for_dead(backend)
        assert not check(repository).errors, f"after operation {fail_at}"
        for point in repository.snapshots():
            if point.id in story.expected:
                assert contents(repository, point) == story.expected[point.id]
        assert story.second.id in names(backend, FileKind.SNAPSHOT)

        story.go_on(backend)
        repository = leave_for_dead(backend)
        assert check(repository).findings == (), f"after operation {fail_at}, run again"
        assert contents(repository, story.second) == story.expected[story.second.id]
        newest = repository.snapshot("latest")
        assert data_of(story.folder) == {
            Path(path.decode()).name: data for path, data in contents(repository, newest).items()
        }


def memory(objects: dict[str, bytes]) -> MemoryBackend:
    backend = MemoryBackend()
    backend.objects = dict(objects)
    return backend


def test_prune_that_broke_off_after_saving_its_packs_does_not_lose_them(story: Story) -> None:
    """The new packs are garbage until an index names them; then the old ones are."""
    backend = memory(story.start)
    forget(reopen(backend), story.first)
    before = dict(backend.objects)
    counting = FaultyBackend(memory(before))
    prune(reopen(counting))
    for fail_at in range(1, counting.operations + 1):
        backend = memory(before)
        with contextlib.suppress(StorageError):
            prune(reopen(FaultyBackend(backend, fail_at=fail_at)))
        repository = leave_for_dead(backend)
        done = prune(repository)
        indexed = {pack.id for _, packs in repository.load_indexes() for pack in packs}
        assert indexed == names(backend, FileKind.PACK)
        assert done.used.count > 0
        assert check(repository).findings == ()


def test_index_repair_that_broke_off_leaves_a_whole_index_and_runs_again(story: Story) -> None:
    start = memory(story.start)
    index = min(names(start, FileKind.INDEX))
    start.objects[f"index/{index}"] = b"damaged"
    counting = FaultyBackend(memory(start.objects))
    repair(reopen(counting))
    for fail_at in range(1, counting.operations + 1):
        backend = memory(start.objects)
        with contextlib.suppress(StorageError):
            repair(reopen(FaultyBackend(backend, fail_at=fail_at)))
        repair(leave_for_dead(backend))
        repository = reopen(backend)
        assert not check(repository).errors
        for point in (story.first, story.second):
            assert contents(repository, point) == story.expected[point.id]
