"""Short roads through the engine: a repository, a backup, what a restore point holds."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backup_agent.crypto.password import ScryptParameters
from backup_agent.errors import IntegrityError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, ignore
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.repository import Repository, create_repository, open_repository
from backup_agent.services.backup import BackupResult, BackupSettings, run_backup
from backup_agent.services.keys import add_password
from backup_agent.sources.entry import Source
from backup_agent.sources.tree import FileTree
from backup_agent.storage.backend import Backend
from backup_agent.storage.memory import MemoryBackend

PASSWORD = "correct horse battery staple"
_PLAIN = BackupSettings()
WEAK = ScryptParameters(n=2, r=1, p=1)
"""Costs nothing: tests open repositories by the hundred. restic takes such keys too."""


def make_new_keys_weak(patch: pytest.MonkeyPatch) -> None:
    """A strong key costs a second each time that it opens. Reaches this process only."""
    for makes_key in (create_repository, add_password):
        defaults = {**(makes_key.__kwdefaults__ or {}), "parameters": WEAK}
        patch.setattr(makes_key, "__kwdefaults__", defaults)


@dataclass(frozen=True, slots=True)
class StoredItem:
    """One entry of a restore point; ``sha256`` of a file's content, empty for the rest."""

    node: Node
    sha256: str


def new_repository(backend: Backend | None = None, *, version: int = 2) -> Repository:
    return create_repository(backend or MemoryBackend(), PASSWORD, version=version, parameters=WEAK)


def reopen(backend: Backend) -> Repository:
    return open_repository(backend, PASSWORD)


def back_up(
    repository: Repository,
    source: Source | Path,
    *,
    settings: BackupSettings = _PLAIN,
    emit: Emit = ignore,
    cancel: CancelToken | None = None,
) -> BackupResult:
    """Back up as a new process would: with the index read from storage."""
    fresh = reopen(repository.backend)
    if isinstance(source, Path):
        source = FileTree([str(source)])
    return run_backup(fresh, source, settings, emit=emit, cancel=cancel or CancelToken())


def holdings(repository: Repository, snapshot: Snapshot) -> dict[bytes, StoredItem]:
    """Every entry of a restore point by its path; reads and checks all content."""
    fresh = reopen(repository.backend)
    fresh.load_index()
    with BlobReader(fresh) as reader:
        return dict(_walk(reader, snapshot.tree, b""))


def below(items: dict[bytes, StoredItem], folder: Path) -> dict[bytes, StoredItem]:
    """What stands in ``folder``, with paths relative to it."""
    prefix = bytes(folder) + b"/"
    return {
        path.removeprefix(prefix): item for path, item in items.items() if path.startswith(prefix)
    }


def way_to(repository: Repository, snapshot: Snapshot, folder: Path) -> list[BlobId]:
    """The trees from the root to that of ``folder``. Only the last is ours alone: folders
    above it change whenever somebody else works in them.
    """
    fresh = reopen(repository.backend)
    fresh.load_index()
    trees = [snapshot.tree]
    with BlobReader(fresh) as reader:
        for name in folder.parts[1:]:
            nodes = {node.name: node for node in reader.load_tree(trees[-1])}
            subtree = nodes[os.fsencode(name)].subtree
            assert subtree is not None
            trees.append(subtree)
    return trees


def _walk(reader: BlobReader, tree: BlobId, folder: bytes) -> Iterator[tuple[bytes, StoredItem]]:
    for node in reader.load_tree(tree):
        path = folder + b"/" + node.name
        digest = hashlib.sha256()
        for piece in reader.stream(node.content or ()):
            if isinstance(piece, IntegrityError):
                raise piece
            digest.update(piece)
        yield path, StoredItem(node, "" if node.content is None else digest.hexdigest())
        if node.subtree is not None:
            yield from _walk(reader, node.subtree, path)
