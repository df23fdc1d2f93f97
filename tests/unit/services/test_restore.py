"""Restoring a restore point to a folder, as the service does it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Event, ItemSkipped
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.repository import Repository
from backup_agent.services.browse import PointBrowser, TreePath, parse_path
from backup_agent.services.restore import RestoreResult, restore_files
from backup_agent.targets import posix
from tests.points import back_up, new_repository, reopen


def restore(
    repository: Repository, point: Snapshot, target: Path, selection: Sequence[TreePath] = ()
) -> tuple[RestoreResult, list[Event]]:
    """As a new process would; with what it told."""
    events: list[Event] = []
    fresh = reopen(repository.backend)
    fresh.load_index()
    with BlobReader(fresh) as reader:
        browser = PointBrowser(reader, point)
        result = restore_files(
            reader,
            browser,
            target,
            selection=selection,
            emit=events.append,
            cancel=CancelToken(),
        )
    return result, events


@pytest.fixture
def outer(tmp_path: Path) -> Path:
    """A folder of somebody else that holds one of ours with a file."""
    outer = tmp_path / "outer"
    (outer / "inner").mkdir(parents=True)
    (outer / "inner" / "file").write_text("ours")
    if os.geteuid() == 0:
        # Whoever is not root finds / and /tmp to be root's, which does as well.
        os.chown(outer, 12345, 12345)
    return outer


def test_folders_on_the_way_to_the_backup_may_be_somebody_elses(
    outer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posix, "is_privileged", lambda: False)
    repository = new_repository()
    point = back_up(repository, outer / "inner").snapshot
    result, events = restore(repository, point, tmp_path / "back")
    assert (result.files, result.skipped) == (1, 0)
    assert [event for event in events if isinstance(event, ItemSkipped)] == []


def test_folders_on_the_way_to_a_selection_may_be_somebody_elses(
    outer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posix, "is_privileged", lambda: False)
    repository = new_repository()
    point = back_up(repository, outer).snapshot
    file = parse_path(str(outer / "inner" / "file"))
    result, _ = restore(repository, point, tmp_path / "back", [file])
    assert (result.files, result.skipped) == (1, 0)
