"""Whether the packs are there, and are what the index says they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from backup_agent.errors import IntegrityError, ObjectNotFoundError
from backup_agent.format.index import IndexedPack
from backup_agent.format.pack import BlobKind, pack_size
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Progress
from backup_agent.model.finding import Finding, error, hint
from backup_agent.model.ids import BlobId, PackId
from backup_agent.repository.inventory import IndexFile
from backup_agent.repository.opener import BlobOpener
from backup_agent.repository.pack_file import (
    PackFlaw,
    examine_pack,
    header_flaw,
    pack_key,
    read_header,
)
from backup_agent.repository.repository import Repository

Seen = TypeVar("Seen")

_PARALLEL_READS = 3
"""Whole packs in memory at one time."""
REPAIR = "everboot repair index makes the index anew from the packs."
ROTTEN = (
    "Run everboot repair index --read-packs, then back up again; "
    "restore points that need what is lost stay damaged until then."
)
"""A pack that keeps its size is believed by backups and by a repair that only reads headers."""
LOST = (
    "Another backup of the same source saves again what is missing; "
    "restore points that need it stay damaged until then."
)


def check_presence(
    files: Iterable[IndexFile], packs: Mapping[PackId, IndexedPack], sizes: Mapping[PackId, int]
) -> Iterator[Finding]:
    for pack in packs.values():
        path = pack_key(pack.id).path
        size = sizes.get(pack.id)
        wanted = pack_size(pack.blobs)
        if size is None:
            yield error(path, "the pack is missing", hint=f"{REPAIR} {LOST}")
        elif size != wanted:
            message = f"the pack has {size} bytes and should have {wanted}"
            yield error(path, message, hint=f"{REPAIR} {LOST}")
    named: set[PackId] = set()
    for file in files:
        for pack in file.packs:
            if pack.id in named:
                yield hint(f"index/{file.name}", f"names pack {pack.id[:8]}, as another index does")
            named.add(pack.id)
    for orphan in sorted(set(sizes) - set(packs)):
        yield hint(
            pack_key(orphan).path,
            "the pack is in no index: a backup is running or broke off, and the next prune "
            "removes it; or an index was lost, and everboot repair index takes it up again",
        )


def lost_copies(
    packs: Mapping[PackId, IndexedPack], sizes: Mapping[PackId, int]
) -> Iterator[tuple[PackId, BlobId]]:
    """What was in packs that are missing, or where a pack ends before."""
    for pack in packs.values():
        size = sizes.get(pack.id, 0)
        for blob in pack.blobs:
            if blob.offset + blob.length > size:
                yield pack.id, blob.id


def check_unused(
    packs: Mapping[PackId, IndexedPack], trees: Collection[BlobId], data: Collection[BlobId]
) -> Iterator[Finding]:
    """Only told where all trees could be read; else nobody knows what is unused."""
    for pack in packs.values():
        unused = sum(
            blob.id not in (trees if blob.kind is BlobKind.TREE else data) for blob in pack.blobs
        )
        if unused:
            yield hint(pack_key(pack.id).path, f"no restore point needs {unused} of its blobs")


def check_headers(
    repository: Repository,
    packs: list[IndexedPack],
    sizes: Mapping[PackId, int],
    *,
    emit: Emit,
    cancel: CancelToken,
) -> Iterator[Finding]:
    def look(pack: IndexedPack) -> list[Finding]:
        path = pack_key(pack.id).path
        try:
            header = read_header(
                repository, pack.id, sizes[pack.id], BlobOpener(repository.sealer())
            )
        except IntegrityError as exc:
            return [error(path, exc.message, hint=ROTTEN)]
        flaw = header_flaw(header.blobs, pack)
        return [error(path, flaw, hint=REPAIR)] if flaw else []

    for _, findings in each_pack(
        "read headers", packs, look, lambda _: 0, emit=emit, cancel=cancel
    ):
        yield from findings


def check_bytes(
    repository: Repository,
    packs: list[IndexedPack],
    sizes: Mapping[PackId, int],
    *,
    emit: Emit,
    cancel: CancelToken,
) -> Iterator[Finding]:
    """Damaged blobs are from then on known to the repository's index."""

    def look(pack: IndexedPack) -> list[PackFlaw] | None:
        try:
            return examine_pack(repository, pack, BlobOpener(repository.sealer()))
        except ObjectNotFoundError:
            return None

    damaged = repository.index.damaged
    for pack, flaws in each_pack(
        "read data", packs, look, lambda pack: sizes[pack.id], emit=emit, cancel=cancel
    ):
        path = pack_key(pack.id).path
        if flaws is None:
            damaged.update((pack.id, blob.id) for blob in pack.blobs)
            yield error(path, "the pack is missing", hint=f"{REPAIR} {LOST}")
            continue
        damaged.update((pack.id, flaw.blob.id) for flaw in flaws if flaw.blob is not None)
        for flaw in flaws:
            yield error(path, flaw.message, hint=ROTTEN)


def each_pack(
    phase: str,
    packs: list[IndexedPack],
    look: Callable[[IndexedPack], Seen],
    size: Callable[[IndexedPack], int],
    *,
    emit: Emit,
    cancel: CancelToken,
) -> Iterator[tuple[IndexedPack, Seen]]:
    """Look at several packs at once; never more is under way than memory is set aside for."""
    total = sum(map(size, packs))
    done_files = done_bytes = 0
    remaining = iter(packs)
    with ThreadPoolExecutor(_PARALLEL_READS, thread_name_prefix="check") as pool:
        while batch := list(islice(remaining, _PARALLEL_READS)):
            cancel.raise_if_cancelled()
            for pack, seen in zip(batch, pool.map(look, batch), strict=True):
                yield pack, seen
                done_files += 1
                done_bytes += size(pack)
                emit(Progress(phase, done_files, len(packs), done_bytes, total))
