"""A repository against a model of it: any jobs, in any order, on one long-lived repository.

The model is a dict: for each restore point that was not forgotten, its files.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from backup_agent.model.ids import SnapshotId
from backup_agent.model.snapshot import Snapshot
from backup_agent.storage.backend import FileKind
from backup_agent.storage.memory import MemoryBackend
from tests.unit.maintenance.workshop import (
    back_up,
    check,
    contents,
    create,
    data_of,
    fill,
    forget,
    keys,
    make_locks_impatient,
    prune,
    reopen,
    repair,
)

NAMES = [f"file{number}" for number in range(6)]


class RepositoryStory(RuleBasedStateMachine):
    """Each rule is one job, or one change of the source."""

    points: Bundle[Snapshot] = Bundle("points")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.backend = MemoryBackend()
        self.repository = create(self.backend)
        self.model: dict[SnapshotId, dict[str, bytes]] = {}
        self.fully_pruned = False

    @initialize()
    def start(self) -> None:
        fill(self.folder, NAMES[0])

    @rule(name=st.sampled_from(NAMES), seed=st.integers(0, 2), size=st.sampled_from([0, 9, 5000]))
    def write(self, name: str, seed: int, size: int) -> None:
        fill(self.folder, name, seed=seed, size=size)

    @rule(name=st.sampled_from(NAMES))
    def delete(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    @rule(target=points)
    def back_up(self) -> Snapshot:
        point = back_up(self.repository, self.folder)
        self.model[point.id] = data_of(self.folder)
        self.fully_pruned = False
        return point

    @rule(point=consumes(points))
    def forget(self, point: Snapshot) -> None:
        forget(self.repository, point)
        del self.model[point.id]
        self.fully_pruned = False

    @rule(max_unused=st.sampled_from([0.0, 0.05, 0.9]))
    def prune(self, max_unused: float) -> None:
        prune(self.repository, allow_empty=not self.model, max_unused=max_unused)
        self.fully_pruned = max_unused == 0

    @rule()
    def lose_every_index(self) -> None:
        for key in keys(self.backend, FileKind.INDEX):
            self.backend.remove(key)
        repair(self.repository)

    @rule()
    def open_anew(self) -> None:
        self.repository = reopen(self.backend)

    @rule(point=points)
    def restore(self, point: Snapshot) -> None:
        found = contents(self.repository, point)
        assert {Path(p.decode()).name: d for p, d in found.items()} == self.model[point.id]

    @invariant()
    def points_are_those_of_the_model(self) -> None:
        assert {point.id for point in self.repository.snapshots()} == set(self.model)

    @invariant()
    def repository_is_whole(self) -> None:
        report = check(self.repository)
        assert report.errors == ()
        if self.fully_pruned:
            assert report.findings == ()

    def teardown(self) -> None:
        shutil.rmtree(self.folder)


def test_any_jobs_in_any_order_keep_what_was_not_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_locks_impatient(monkeypatch)
    run_state_machine_as_test(
        RepositoryStory,
        settings=settings(max_examples=20, stateful_step_count=20, deadline=None),
    )
