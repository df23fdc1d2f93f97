"""A repository in memory, a folder to back up, and the jobs of maintenance with few words."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from types import FunctionType
from typing import cast

import pytest

from backup_agent.crypto.password import ScryptParameters
from backup_agent.format.pack import BlobKind
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import ignore
from backup_agent.model.ids import SnapshotId
from backup_agent.model.snapshot import Snapshot
from backup_agent.model.subset import EVERYTHING
from backup_agent.repository.check import CheckReport
from backup_agent.repository.locks import RepositoryLock
from backup_agent.repository.prune_plan import PrunePlan
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.repair import RepairPlan
from backup_agent.repository.repository import Repository, create_repository, open_repository
from backup_agent.services.backup import BackupSettings, run_backup
from backup_agent.services.check import run_check
from backup_agent.services.forget import ForgetPoints, run_forget
from backup_agent.services.prune import run_prune
from backup_agent.services.repair import run_repair_index
from backup_agent.sources.tree import FileTree
from backup_agent.storage.backend import Backend, FileKind, ObjectKey

PASSWORD = "correct horse"
WEAK = ScryptParameters(n=2, r=1, p=1)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def create(backend: Backend, *, version: int = 2) -> Repository:
    return create_repository(backend, PASSWORD, version=version, parameters=WEAK)


def reopen(backend: Backend) -> Repository:
    return open_repository(backend, PASSWORD)


def back_up(repository: Repository, folder: Path) -> Snapshot:
    result = run_backup(
        repository, FileTree([str(folder)]), BackupSettings(), emit=ignore, cancel=CancelToken()
    )
    assert result.complete
    return result.snapshot


def forget(repository: Repository, *snapshots: Snapshot | SnapshotId) -> None:
    ids = tuple(s.id if isinstance(s, Snapshot) else s for s in snapshots)
    run_forget(
        repository,
        ForgetPoints(ids),
        now=NOW,
        on_plan=lambda _plan: None,
        emit=ignore,
        cancel=CancelToken(),
    )


def prune(
    repository: Repository, *, allow_empty: bool = False, max_unused: float = 0.0
) -> PrunePlan:
    return run_prune(
        repository,
        allow_empty=allow_empty,
        max_unused=max_unused,
        on_plan=lambda _plan: None,
        emit=ignore,
        cancel=CancelToken(),
    )


def check(repository: Repository, *, read_data: bool = True) -> CheckReport:
    return run_check(
        repository,
        headers=True,
        read_data=EVERYTHING if read_data else None,
        emit=ignore,
        cancel=CancelToken(),
    )


def repair(repository: Repository, *, read_packs: bool = False) -> RepairPlan:
    return run_repair_index(
        repository,
        read_packs=read_packs,
        on_plan=lambda _plan: None,
        emit=ignore,
        cancel=CancelToken(),
    )


def contents(repository: Repository, snapshot: Snapshot) -> dict[bytes, bytes]:
    """Every file of a restore point, read back through a fresh index."""
    repository.load_index()
    files: dict[bytes, bytes] = {}
    with BlobReader(repository) as reader:
        waiting = [(snapshot.tree, b"")]
        while waiting:
            tree, path = waiting.pop()
            for node in reader.load_tree(tree):
                here = path + b"/" + node.name
                if node.subtree is not None:
                    waiting.append((node.subtree, here))
                elif node.content is not None:
                    pieces = [reader.load(BlobKind.DATA, blob) for blob in node.content]
                    files[here] = b"".join(pieces)
    return files


def fill(folder: Path, *names: str, seed: int = 0, size: int = 3000) -> None:
    """Write files that no compressor shrinks, different for each name and seed."""
    folder.mkdir(exist_ok=True, parents=True)
    for name in names:
        chance = random.Random(f"{name}-{seed}")
        (folder / name).write_bytes(chance.randbytes(size))


def names(backend: Backend, kind: FileKind) -> set[str]:
    return {info.name for info in backend.list(kind)}


def keys(backend: Backend, kind: FileKind) -> list[ObjectKey]:
    return sorted((ObjectKey(kind, name) for name in names(backend, kind)), key=lambda k: k.name)


def flip_bit(backend: Backend, key: ObjectKey, position: int) -> None:
    data = bytearray(backend.load(key))
    data[position] ^= 1
    backend.save(key, bytes(data))


def truncate(backend: Backend, key: ObjectKey, by: int = 1) -> None:
    backend.save(key, backend.load(key)[:-by])


def data_of(folder: Path) -> dict[str, bytes]:
    """The files of the source itself."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def make_locks_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else is there, so a lock need not wait for whoever writes one at the same moment."""
    defaults = cast("FunctionType", RepositoryLock.__init__).__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "settle_seconds", 0.0)
