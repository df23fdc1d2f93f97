"""Replacing index files: a new generation is written, then the old one removed.

Between the two, both are there, which harms nobody: an index may tell a thing
twice. Files that tell only what stays true are left as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from backup_agent.format.index import IndexedPack
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Progress
from backup_agent.model.ids import PackId
from backup_agent.repository.inventory import IndexFile
from backup_agent.repository.repository import Repository
from backup_agent.repository.writer import INDEX_BLOBS
from backup_agent.storage.backend import FileKind, ObjectKey

_SMALL = INDEX_BLOBS // 4
_PARALLEL_REMOVALS = 8


@dataclass(frozen=True, slots=True)
class IndexChange:
    """Index files to replace, and what of theirs the new generation has to tell."""

    supersede: tuple[str, ...]
    carry: tuple[IndexedPack, ...]


def plan_index_change(
    files: Sequence[IndexFile], stay: Mapping[PackId, IndexedPack]
) -> IndexChange:
    """Replace the files that name a pack which does not stay, or one that another file names
    too, or one whose blobs they do not all know; and merge the small ones.
    """
    times_named = Counter(pack.id for file in files for pack in file.packs)

    def is_true(pack: IndexedPack) -> bool:
        return times_named[pack.id] == 1 and stay.get(pack.id) == pack

    wrong = [file for file in files if not all(map(is_true, file.packs))]
    right = [file for file in files if all(map(is_true, file.packs))]
    small = [file for file in right if _blobs(file) < _SMALL]
    if len(small) + len(wrong) > 1:
        wrong += small
    carry = {pack.id: stay[pack.id] for file in wrong for pack in file.packs if pack.id in stay}
    return IndexChange(tuple(sorted(file.name for file in wrong)), tuple(carry.values()))


def save_index_files(repository: Repository, packs: Iterable[IndexedPack]) -> list[str]:
    """Write as few index files as hold these packs; returns their names."""
    names: list[str] = []
    batch: list[IndexedPack] = []
    blobs = 0
    for pack in packs:
        batch.append(pack)
        blobs += len(pack.blobs)
        if blobs >= INDEX_BLOBS:
            names.append(repository.save_index(tuple(batch)))
            batch, blobs = [], 0
    if batch:
        names.append(repository.save_index(tuple(batch)))
    return names


def remove_files(
    repository: Repository,
    kind: FileKind,
    names: Sequence[str],
    *,
    phase: str,
    before_each: Callable[[], None] = lambda: None,
    emit: Emit,
    cancel: CancelToken,
) -> None:
    """Remove files, several at once; ``before_each`` may raise to stop it."""

    def remove(name: str) -> None:
        cancel.raise_if_cancelled()
        before_each()
        repository.remove_file(ObjectKey(kind, name))

    with ThreadPoolExecutor(_PARALLEL_REMOVALS, thread_name_prefix="remove") as pool:
        for done, _ in enumerate(pool.map(remove, names), start=1):
            emit(Progress(phase, files_done=done, files_total=len(names)))


def _blobs(file: IndexFile) -> int:
    return sum(len(pack.blobs) for pack in file.packs)
