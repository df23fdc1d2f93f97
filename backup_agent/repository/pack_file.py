"""Packs looked at as files: their headers, and every byte of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from backup_agent.errors import IntegrityError, StorageError
from backup_agent.format.index import IndexedPack
from backup_agent.format.pack import LENGTH_SIZE, PackedBlob, decode_header, header_length
from backup_agent.model.ids import PackId
from backup_agent.repository.opener import BlobOpener
from backup_agent.repository.repository import Repository
from backup_agent.storage.backend import FileKind, ObjectInfo, ObjectKey

_PARALLEL_HEADERS = 4
_HEADER_GUESS = 16 << 10
"""Holds the header of nearly every pack, so that one read is enough."""


def pack_key(pack: PackId) -> ObjectKey:
    return ObjectKey(FileKind.PACK, pack)


def read_header(repository: Repository, pack: PackId, size: int, opener: BlobOpener) -> IndexedPack:
    """What a pack of ``size`` bytes says of itself. Raises ``IntegrityError`` naming it."""
    try:
        return _read_header(repository, pack, size, opener)
    except IntegrityError:
        # Object stores deliver a damaged body now and then.
        try:
            return _read_header(repository, pack, size, opener)
        except IntegrityError as exc:
            raise IntegrityError(
                f"The header of {pack_key(pack).path} is damaged: {exc.message}", hint=exc.hint
            ) from exc


def _read_header(
    repository: Repository, pack: PackId, size: int, opener: BlobOpener
) -> IndexedPack:
    guess = min(size, _HEADER_GUESS)
    tail = repository.backend.load(pack_key(pack), size - guess, guess)
    length = header_length(tail[-LENGTH_SIZE:], file_size=size)
    blobs_end = size - LENGTH_SIZE - length
    if length + LENGTH_SIZE > guess:
        tail = repository.backend.load(pack_key(pack), blobs_end, length + LENGTH_SIZE)
    sealed = memoryview(tail)[-LENGTH_SIZE - length : -LENGTH_SIZE]
    return IndexedPack(pack, decode_header(opener.sealer.open(sealed), blobs_end=blobs_end))


def take_up_unindexed(repository: Repository) -> None:
    """Learn, in memory, the blobs of every pack that the index does not know.

    Packs that do not tell what they hold are left out.
    """

    def read(info: ObjectInfo) -> IndexedPack | None:
        opener = BlobOpener(repository.sealer())
        try:
            return read_header(repository, PackId(info.name), info.size, opener)
        except (IntegrityError, StorageError):
            return None

    packs = repository.backend.list(FileKind.PACK)
    unknown = [info for info in packs if not repository.index.has_pack(PackId(info.name))]
    with ThreadPoolExecutor(_PARALLEL_HEADERS, thread_name_prefix="header") as pool:
        for pack in pool.map(read, unknown):
            if pack is not None:
                repository.index.add_pack(pack)


@dataclass(frozen=True, slots=True)
class PackFlaw:
    """Something wrong with a pack; ``blob`` is set where it concerns that one only."""

    message: str
    blob: PackedBlob | None = None


def examine_pack(repository: Repository, pack: IndexedPack, opener: BlobOpener) -> list[PackFlaw]:
    """Read all of a pack and compare it with its name, its header and the index's word.

    Raises ``ObjectNotFoundError``.
    """
    data = repository.backend.load(pack_key(pack.id))
    flaws = list(_flaws(data, pack, opener))
    if flaws:
        data = repository.backend.load(pack_key(pack.id))
        flaws = list(_flaws(data, pack, opener))
    return flaws


def _flaws(data: bytes, pack: IndexedPack, opener: BlobOpener) -> Iterator[PackFlaw]:
    if hashlib.sha256(data).hexdigest() != pack.id:
        yield PackFlaw("its content does not match its name")
    try:
        length = header_length(data[-LENGTH_SIZE:], file_size=len(data))
        blobs_end = len(data) - LENGTH_SIZE - length
        sealed = memoryview(data)[blobs_end:-LENGTH_SIZE]
        header = decode_header(opener.sealer.open(sealed), blobs_end=blobs_end)
    except IntegrityError as exc:
        yield PackFlaw(f"its header is damaged: {exc.message}")
    else:
        if flaw := header_flaw(header, pack):
            yield PackFlaw(flaw)
    for blob in pack.blobs:
        try:
            opener.open(memoryview(data)[blob.offset : blob.offset + blob.length], blob)
        except IntegrityError as exc:
            yield PackFlaw(f"{blob.kind.value} blob {blob.id.hex()}: {exc.message}", blob)


def header_flaw(header: tuple[PackedBlob, ...], indexed: IndexedPack) -> str:
    """How a header contradicts the index; empty where it does not."""
    if set(header) == set(indexed.blobs):
        return ""
    return (
        f"its header names {len(header)} blobs and the index {len(indexed.blobs)}, "
        f"{len(set(header) & set(indexed.blobs))} of them alike"
    )
