"""The road of new blobs into the repository::

    caller's thread        sealers (one a core)         uploaders
    read, cut, hash   ->   compress, seal into    ->    hash the pack, save it,
    known already?         packs                        then enter it in an index

Slabs and pack buffers go round in fixed numbers, which is what bounds memory
and makes a fast reader wait. The index is written after the packs it speaks
of, and snapshots are saved by the caller after :meth:`BlobWriter.finish`: so a
crash anywhere leaves garbage for prune, never a restore point that lies.
"""

from __future__ import annotations

import hashlib
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

from backup_agent.format.index import IndexedPack
from backup_agent.format.pack import BlobKind
from backup_agent.model.ids import BlobId, PackId
from backup_agent.repository.packer import PACK_SIZE, OpenPack, Packer
from backup_agent.repository.repository import Repository
from backup_agent.repository.slab import SLAB_SIZE, Piece, Slab
from backup_agent.storage.backend import FileKind, ObjectKey

_COMPRESSION_LEVEL = 2
"""As small as restic's default, within a percent, and a tenth cheaper for a tree than level 3."""
_UPLOADERS = 2
INDEX_BLOBS = 40_000
"""Entries in one index file: about 5 MB of JSON; the design asks for less than 8 MiB."""
_INDEX_PACKS = 256
"""Packs saved and in no index yet, 4 GiB: after a crash, the next run saves them again."""


@dataclass(slots=True)
class WriterTotals:
    """What was new. ``packed`` counts sealed bytes with their share of the headers."""

    data_blobs: int = 0
    tree_blobs: int = 0
    raw_bytes: int = 0
    packed_bytes: int = 0


class BlobWriter:
    """Saves blobs through one repository. Its public methods belong to one thread.

    Use as a context manager: leaving it by an exception stops the threads and
    drops what was not saved.
    """

    def __init__(self, repository: Repository, *, sealers: int | None = None) -> None:
        count = sealers or min(os.cpu_count() or 1, 8)
        self._repository = repository
        self._index = repository.index
        self.totals = WriterTotals()
        self._in_flight: dict[BlobKind, set[BlobId]] = {kind: set() for kind in BlobKind}
        self._failure: BaseException | None = None
        self._slabs: queue.SimpleQueue[Slab] = queue.SimpleQueue()
        for _ in range(count + 2):
            self._slabs.put(Slab.empty())
        self._open_slabs: dict[BlobKind, Slab] = {}
        self._to_seal: queue.SimpleQueue[Slab | None] = queue.SimpleQueue()
        self._free_packs: queue.SimpleQueue[OpenPack] = queue.SimpleQueue()
        for _ in range(count + _UPLOADERS):
            self._free_packs.put(OpenPack())
        self._to_upload: queue.SimpleQueue[OpenPack | None] = queue.SimpleQueue()
        self._partial_packs: list[OpenPack] = []
        self._tree_pack: OpenPack | None = None
        self._tree_lock = threading.Lock()
        self._index_lock = threading.Lock()
        self._unindexed: list[IndexedPack] = []
        self._unindexed_blobs = 0
        self._sealers = [_start(self._seal_slabs, f"seal-{n}") for n in range(count)]
        self._uploaders = [_start(self._upload_packs, f"upload-{n}") for n in range(_UPLOADERS)]

    # The caller's thread

    def reserve(self, size: int) -> Slab:
        """A slab with at least ``size`` (at most ``SLAB_SIZE``) bytes free from ``used`` on."""
        return self._slab(BlobKind.DATA, size)

    def add(self, slab: Slab, start: int, end: int) -> BlobId:
        """Save bytes ``start`` to ``end`` of a reserved slab as a data blob, unless known."""
        blob = BlobId(hashlib.sha256(slab.view[start:end]).digest())
        if self._is_new(BlobKind.DATA, blob):
            slab.pieces.append(Piece(blob, start, end))
            slab.used = end
            self.totals.data_blobs += 1
            self.totals.raw_bytes += end - start
        return blob

    def move_on(self, slab: Slab, held_back: int, filled: int) -> tuple[Slab, int]:
        """Take the bytes ``held_back`` to ``filled`` along to the start of an empty slab.

        Returns that slab and how many bytes lie in it.
        """
        rest = filled - held_back
        fresh = slab
        # Where everything so far was known, the same slab serves again.
        if slab.pieces:
            self._submit(BlobKind.DATA)
            fresh = self._slab(BlobKind.DATA, SLAB_SIZE)
        fresh.view[:rest] = slab.view[held_back:filled]
        return fresh, rest

    def save_tree(self, tree: bytes) -> BlobId:
        """Save an encoded tree, unless known."""
        blob = BlobId(hashlib.sha256(tree).digest())
        if not self._is_new(BlobKind.TREE, blob):
            return blob
        self.totals.tree_blobs += 1
        self.totals.raw_bytes += len(tree)
        if len(tree) > SLAB_SIZE:
            # The tree of a folder with tens of thousands of entries travels in its own memory.
            self._to_seal.put(
                Slab(BlobKind.TREE, memoryview(tree), [Piece(blob, 0, len(tree))], len(tree))
            )
            return blob
        slab = self._slab(BlobKind.TREE, len(tree))
        end = slab.used + len(tree)
        slab.view[slab.used : end] = tree
        slab.pieces.append(Piece(blob, slab.used, end))
        slab.used = end
        return blob

    def finish(self) -> None:
        """Wait until every blob and its index are saved. Raises what a thread ran into."""
        for kind in list(self._open_slabs):
            self._submit(kind)
        self._stop(self._sealers, self._to_seal)
        self._raise_failure()
        for pack in self._remaining_packs():
            self._to_upload.put(pack)
        self._stop(self._uploaders, self._to_upload)
        self._raise_failure()
        self._save_index()

    def __enter__(self) -> BlobWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            # Whoever still works finds this and throws away what it holds.
            self._failure = self._failure or error
        self._stop(self._sealers, self._to_seal)
        self._stop(self._uploaders, self._to_upload)

    def _is_new(self, kind: BlobKind, blob: BlobId) -> bool:
        # In this order: an uploader enters a blob in the index before it leaves the set.
        if blob in self._in_flight[kind] or self._index.has(kind, blob):
            return False
        self._in_flight[kind].add(blob)
        return True

    def _slab(self, kind: BlobKind, size: int) -> Slab:
        slab = self._open_slabs.get(kind)
        if slab is not None and slab.room < size:
            self._submit(kind)
            slab = None
        if slab is None:
            self._raise_failure()
            slab = self._slabs.get()
            slab.reset(kind)
            self._open_slabs[kind] = slab
        return slab

    def _submit(self, kind: BlobKind) -> None:
        self._raise_failure()
        self._to_seal.put(self._open_slabs.pop(kind))

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _stop(
        self,
        threads: list[threading.Thread],
        inbox: queue.SimpleQueue[Slab | None] | queue.SimpleQueue[OpenPack | None],
    ) -> None:
        for _ in threads:
            inbox.put(None)
        for thread in threads:
            thread.join()
        threads.clear()

    def _remaining_packs(self) -> list[OpenPack]:
        """The packs not yet full, as few as possible."""
        packs: list[OpenPack] = []
        for pack in self._partial_packs:
            if packs and packs[-1].size + pack.size <= PACK_SIZE:
                packs[-1].absorb(pack)
            elif pack.size:
                packs.append(pack)
        if self._tree_pack is not None and self._tree_pack.size:
            packs.append(self._tree_pack)
        return packs

    # Sealers

    def _seal_slabs(self) -> None:
        level = _COMPRESSION_LEVEL if self._repository.config.version >= 2 else None
        packer = Packer(self._repository.sealer(), level=level)
        pack = self._free_packs.get()
        while (slab := self._to_seal.get()) is not None:
            if self._failure is None:
                try:
                    if slab.kind is BlobKind.TREE:
                        self._seal_trees(packer, slab)
                    else:
                        pack = packer.pack(slab, pack, hand_on=self._hand_on)
                except BaseException as exc:  # raised again in the caller's thread
                    self._failure = exc
            if len(slab.view) == SLAB_SIZE:
                self._slabs.put(slab)
        self._partial_packs.append(pack)

    def _seal_trees(self, packer: Packer, slab: Slab) -> None:
        """All sealers share one pack for trees, for there are few of them."""
        with self._tree_lock:
            if self._tree_pack is None:
                self._tree_pack = self._free_packs.get()
            self._tree_pack = packer.pack(slab, self._tree_pack, hand_on=self._hand_on)

    def _hand_on(self, full: OpenPack) -> OpenPack:
        self._to_upload.put(full)
        return self._free_packs.get()

    # Uploaders

    def _upload_packs(self) -> None:
        sealer = self._repository.sealer()
        while (pack := self._to_upload.get()) is not None:
            if self._failure is None:
                try:
                    name, data = pack.close(sealer)
                    is_tree = pack.blobs[0].kind is BlobKind.TREE
                    key = ObjectKey(FileKind.PACK, name, is_tree=is_tree)
                    self._repository.backend.save(key, data)
                    self._enter(IndexedPack(PackId(name), tuple(pack.blobs)), len(data))
                except BaseException as exc:  # raised again in the caller's thread
                    self._failure = exc
            pack.clear()
            self._free_packs.put(pack)

    def _enter(self, pack: IndexedPack, size: int) -> None:
        with self._index_lock:
            self._index.add_pack(pack)
            for blob in pack.blobs:
                self._in_flight[blob.kind].discard(blob.id)
            self.totals.packed_bytes += size
            self._unindexed.append(pack)
            self._unindexed_blobs += len(pack.blobs)
            if self._unindexed_blobs >= INDEX_BLOBS or len(self._unindexed) >= _INDEX_PACKS:
                self._save_index()

    def _save_index(self) -> None:
        if self._unindexed:
            self._repository.save_index(tuple(self._unindexed))
            self._unindexed = []
            self._unindexed_blobs = 0


def _start(target: Callable[[], None], name: str) -> threading.Thread:
    thread = threading.Thread(target=target, name=name, daemon=True)
    thread.start()
    return thread
