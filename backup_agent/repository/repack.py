"""Copying blobs out of packs into new ones, as they are, sealed; each is checked on the way."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from backup_agent.crypto.cipher import Sealer
from backup_agent.errors import IntegrityError
from backup_agent.format.index import IndexedPack
from backup_agent.format.pack import BlobKind, PackedBlob
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Progress
from backup_agent.model.ids import PackId
from backup_agent.repository.index import BlobPlace
from backup_agent.repository.opener import BlobOpener
from backup_agent.repository.packer import PACK_SIZE, OpenPack
from backup_agent.repository.reader import neighbours
from backup_agent.repository.reindex import save_index_files
from backup_agent.repository.repository import Repository
from backup_agent.storage.backend import FileKind, ObjectKey

_PACKS_AHEAD = 3
"""How many old packs are held in memory."""
PACKS_AN_INDEX = 64
"""After so many new packs (1 GiB) an index is saved: what is done survives a crash."""


@dataclass(slots=True)
class Repacked:
    """The new packs, and the index files already saved that name them."""

    packs: list[IndexedPack] = field(default_factory=list)
    index_files: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SealedBlob:
    """A blob as it lies in a pack."""

    blob: PackedBlob
    sealed: memoryview


def repack(
    repository: Repository,
    parts: Iterable[IndexedPack],
    *,
    total_bytes: int,
    emit: Emit,
    cancel: CancelToken,
) -> Repacked:
    """Copy the named blobs of each pack into new packs, trees and data apart.

    The new packs may be in no index yet when this returns. Raises
    ``IntegrityError`` for a blob that is damaged.
    """
    result = Repacked()
    filling = {kind: _Filling(repository, kind, result) for kind in BlobKind}
    done = 0
    for blobs in _read_ahead(repository, parts):
        cancel.raise_if_cancelled()
        for blob in blobs:
            filling[blob.blob.kind].add(blob)
            done += blob.blob.length
        emit(Progress("repack", bytes_done=done, bytes_total=total_bytes))
    for pack in filling.values():
        pack.save()
    return result


def read_sealed(
    repository: Repository, part: IndexedPack, opener: BlobOpener
) -> Iterator[SealedBlob]:
    """The blobs, still sealed, each opened once to see that it is whole.

    Raises ``IntegrityError`` naming the pack. A damaged read is tried once more.
    """
    for run in neighbours([BlobPlace(part.id, blob) for blob in part.blobs]):
        blobs = [place.blob for place in run]
        try:
            sealed = _read_run(repository, part.id, blobs, opener)
        except IntegrityError:
            sealed = _read_run(repository, part.id, blobs, opener)
        yield from sealed


def _read_run(
    repository: Repository, pack: PackId, blobs: list[PackedBlob], opener: BlobOpener
) -> list[SealedBlob]:
    key = ObjectKey(FileKind.PACK, pack, is_tree=blobs[0].kind is BlobKind.TREE)
    start = blobs[0].offset
    length = blobs[-1].offset + blobs[-1].length - start
    data = memoryview(repository.backend.load(key, start, length))
    sealed = [SealedBlob(b, data[b.offset - start : b.offset - start + b.length]) for b in blobs]
    for blob in sealed:
        try:
            opener.open(blob.sealed, blob.blob)
        except IntegrityError as exc:
            raise IntegrityError(
                f"Blob {blob.blob.id.hex()[:8]} in the pack {key.path} is damaged: {exc.message}",
                hint="everboot check --read-data tells what is affected.",
            ) from exc
    return sealed


def _read_ahead(repository: Repository, parts: Iterable[IndexedPack]) -> Iterator[list[SealedBlob]]:
    def read(part: IndexedPack) -> list[SealedBlob]:
        return list(read_sealed(repository, part, BlobOpener(repository.sealer())))

    ahead: deque[Future[list[SealedBlob]]] = deque()
    with ThreadPoolExecutor(_PACKS_AHEAD, thread_name_prefix="repack") as pool:
        try:
            for part in parts:
                ahead.append(pool.submit(read, part))
                if len(ahead) >= _PACKS_AHEAD:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()


class _Filling:
    """The new pack for blobs of one kind."""

    def __init__(self, repository: Repository, kind: BlobKind, result: Repacked) -> None:
        self._repository = repository
        self._sealer: Sealer = repository.sealer()
        self._kind = kind
        self._result = result
        self._pack = OpenPack()
        self._unindexed: list[IndexedPack] = []

    def add(self, blob: SealedBlob) -> None:
        self._pack.copy_blob(blob.blob, blob.sealed)
        if self._pack.size >= PACK_SIZE:
            self.save()

    def save(self) -> None:
        if not self._pack.size:
            return
        name, data = self._pack.close(self._sealer)
        key = ObjectKey(FileKind.PACK, name, is_tree=self._kind is BlobKind.TREE)
        self._repository.backend.save(key, data)
        pack = IndexedPack(PackId(name), tuple(self._pack.blobs))
        self._result.packs.append(pack)
        self._unindexed.append(pack)
        self._pack.clear()
        if len(self._unindexed) >= PACKS_AN_INDEX:
            self._result.index_files += save_index_files(self._repository, self._unindexed)
            self._unindexed = []
