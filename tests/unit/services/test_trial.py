"""Trial restores: drawn by lot, brought back whole, and gone."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest

from backup_agent.errors import NoSuchPointError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import ignore
from backup_agent.repository.repository import Repository
from backup_agent.services.backup import BackupSettings, run_backup
from backup_agent.services.sources import FileSelection, files_source
from backup_agent.services.trial import restore_as_trial
from backup_agent.storage.backend import FileKind, ObjectKey
from backup_agent.storage.memory import MemoryBackend
from tests.unit.maintenance.workshop import create


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """With one restore point of forty files, tagged ``plan-7``."""
    folder = tmp_path / "projects"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number}.bin").write_bytes(random.Random(number).randbytes(5000))
    made = create(MemoryBackend())
    run_backup(
        made,
        files_source(FileSelection((str(folder),))),
        BackupSettings(tags=("plan-7",)),
        emit=ignore,
        cancel=CancelToken(),
    )
    return made


def test_as_many_files_as_asked_come_back_and_nothing_stays(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))

    tried = restore_as_trial(
        repository, tag="plan-7", files=12, lot=random.Random(1), emit=ignore, cancel=CancelToken()
    )

    assert (tried.drawn, tried.result.files, tried.result.damaged) == (12, 12, [])
    assert list(scratch.iterdir()) == []


def test_damage_is_found_by_a_trial_that_meets_it(repository: Repository) -> None:
    backend = repository.backend
    # The packs of trees are the smaller ones.
    largest = max(backend.list(FileKind.PACK), key=lambda pack: pack.size)
    key = ObjectKey(FileKind.PACK, largest.name)
    content = bytearray(backend.load(key))
    content[20] ^= 1
    backend.remove(key)
    backend.save(key, bytes(content))

    tried = restore_as_trial(
        repository, tag="plan-7", files=40, lot=random.Random(1), emit=ignore, cancel=CancelToken()
    )

    assert tried.result.damaged


def test_without_a_restore_point_of_the_plan_there_is_nothing_to_try(
    repository: Repository,
) -> None:
    with pytest.raises(NoSuchPointError, match="of this plan"):
        restore_as_trial(
            repository,
            tag="plan-8",
            files=1,
            lot=random.Random(),
            emit=ignore,
            cancel=CancelToken(),
        )
