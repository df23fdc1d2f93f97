"""What index files and listings tell of a repository at one moment.

Prune, check and repair all start from here. Two rules of object stores hold
throughout: what a listing leaves out may still be there, and what it names may
not be handed out for a while.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from backup_agent.errors import IntegrityError, ObjectNotFoundError
from backup_agent.format.index import IndexedPack
from backup_agent.model.ids import PackId
from backup_agent.repository.index import BlobIndex
from backup_agent.repository.repository import DamagedFile, Repository
from backup_agent.storage.backend import FileKind, ObjectKey

_PARALLEL_SIZES = 8


@dataclass(frozen=True, slots=True)
class IndexFile:
    """One index file and the packs it names."""

    name: str
    packs: tuple[IndexedPack, ...]


def load_index_files(
    repository: Repository, *, on_damage: Callable[[DamagedFile], None] | None = None
) -> list[IndexFile]:
    """Every index file; damaged ones raise ``IntegrityError``, or go to ``on_damage``."""
    return [IndexFile(name, packs) for name, packs in repository.load_indexes(on_damage=on_damage)]


def merge_packs(files: Iterable[IndexFile]) -> dict[PackId, IndexedPack]:
    """Each pack once, with every blob that any of the files knows in it."""
    merged: dict[PackId, IndexedPack] = {}
    for file in files:
        for pack in file.packs:
            known = merged.get(pack.id)
            if known is None:
                merged[pack.id] = pack
            elif known.blobs != pack.blobs:
                union = dict.fromkeys(known.blobs + pack.blobs)
                blobs = tuple(sorted(union, key=lambda blob: blob.offset))
                merged[pack.id] = IndexedPack(pack.id, blobs)
    return merged


def index_of(packs: Iterable[IndexedPack]) -> BlobIndex:
    index = BlobIndex()
    for pack in packs:
        index.add_pack(pack)
    return index


def pack_sizes(repository: Repository, indexed: Iterable[PackId]) -> dict[PackId, int]:
    """The size in bytes of every pack there is.

    An indexed pack that the listing leaves out is asked for by name: an
    absent listing never proves absence (restic#4612).
    """
    backend = repository.backend
    sizes = {PackId(info.name): info.size for info in backend.list(FileKind.PACK)}

    def ask(pack: PackId) -> tuple[PackId, int] | None:
        try:
            return pack, backend.size(ObjectKey(FileKind.PACK, pack))
        except ObjectNotFoundError:
            return None

    unlisted = [pack for pack in indexed if pack not in sizes]
    with ThreadPoolExecutor(_PARALLEL_SIZES, thread_name_prefix="size") as pool:
        sizes.update(answer for answer in pool.map(ask, unlisted) if answer is not None)
    return sizes


def unseen(repository: Repository, kind: FileKind, seen: Collection[str]) -> list[ObjectKey]:
    """The snapshots or index files that are there now and were not seen before."""
    return [ObjectKey(kind, name) for name in repository.names(kind) if name not in seen]


def refuse_unseen(repository: Repository, kind: FileKind, seen: Collection[str]) -> None:
    """Stop before anything is removed on half the knowledge. Raises ``IntegrityError``."""
    if surprises := unseen(repository, kind, seen):
        raise IntegrityError(
            f"{surprises[0].path} is said to be there and could not be read, or is new since "
            "this run looked; nothing that it may need was removed.",
            hint="Run it again; object stores may need some minutes to agree with themselves.",
        )


def refuse_unlisted(repository: Repository, kind: FileKind, own: Collection[str]) -> None:
    """Stop before what these new files replace is removed, while other computers may not find
    them. Raises ``IntegrityError``.
    """
    listed = {info.name for info in repository.backend.list(kind)}
    if hidden := sorted(set(own) - listed):
        raise IntegrityError(
            f"{ObjectKey(kind, hidden[0]).path} was just written and is not listed; what it "
            "replaces was not removed.",
            hint="Run it again; object stores may need some minutes to agree with themselves.",
        )


def refuse_present(repository: Repository, key: ObjectKey) -> None:
    """Stop where a file that should be gone is there. Raises ``IntegrityError``."""
    try:
        repository.backend.size(key)
    except ObjectNotFoundError:
        return
    raise IntegrityError(
        f"{key.path} should be gone and is there; nothing that it needs was removed.",
        hint="Run it again.",
    )


def name_indexes(files: Iterable[IndexFile]) -> frozenset[str]:
    return frozenset(file.name for file in files)
