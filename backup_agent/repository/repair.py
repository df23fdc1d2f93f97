"""Making the index true again, from what the packs say of themselves.

::

    indexed, there, right size     its entries are kept
    indexed, gone                  its entries go; the next backup saves its blobs again
    indexed, another size          its header decides; where that is damaged, the blobs
                                   that are still whole are copied to a new pack
    in no index                    its header is read, its blobs are taken up
    unreadable header, no index    left alone, and told

    read, and not what it was      (only where packs are read) it leaves the index, so that the
                                   next backup saves again what is lost of it; what is whole
                                   and nowhere else is copied to a new pack

Packs are never deleted here: should it have been the reading that was at fault, a repair
that reads headers only takes them up again; the next prune removes them. New index files
are written before old ones are removed, so a crash leaves both, and the next repair or
prune tidies up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from backup_agent.errors import IntegrityError, ObjectNotFoundError
from backup_agent.format.index import IndexedPack
from backup_agent.format.pack import PackedBlob, pack_size
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Progress
from backup_agent.model.finding import Finding, error
from backup_agent.model.ids import PackId
from backup_agent.repository.index import BlobIndex
from backup_agent.repository.inventory import (
    index_of,
    load_index_files,
    merge_packs,
    name_indexes,
    pack_sizes,
    refuse_unlisted,
    refuse_unseen,
)
from backup_agent.repository.locks import RepositoryLock
from backup_agent.repository.opener import BlobOpener
from backup_agent.repository.pack_file import pack_key, read_header
from backup_agent.repository.reindex import (
    IndexChange,
    plan_index_change,
    remove_files,
    save_index_files,
)
from backup_agent.repository.repack import read_sealed, repack
from backup_agent.repository.repository import DamagedFile, Repository
from backup_agent.repository.rot import find_rot
from backup_agent.repository.touched import TouchedPoint, find_touched
from backup_agent.storage.backend import FileKind

_PARALLEL_HEADERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairPlan:
    """What to show, and then to carry out."""

    keep: int
    """How many packs are described rightly."""
    take_up: tuple[IndexedPack, ...]
    """Packs that no index knew, or knew wrongly, as their headers describe them."""
    drop: tuple[PackId, ...]
    """Indexed packs that are gone."""
    salvage: tuple[IndexedPack, ...]
    """Damaged packs, and the blobs in them that are still whole."""
    touched: tuple[TouchedPoint, ...]
    """The restore points that lack something; only known where packs were read."""
    findings: tuple[Finding, ...]
    """What is lost, for people."""
    index: IndexChange
    damaged_index_files: tuple[str, ...]
    index_files: frozenset[str]
    """The files this plan knows of: should there be others, it is out of date."""

    @property
    def is_empty(self) -> bool:
        """Whether the index is true already."""
        return not (
            self.take_up or self.salvage or self.index.supersede or self.damaged_index_files
        )

    def __str__(self) -> str:
        return "\n".join(
            (
                f"packs indexed rightly:       {self.keep}",
                f"packs to take up:            {len(self.take_up)}",
                f"packs that are gone:         {len(self.drop)}",
                f"damaged packs to copy from:  {len(self.salvage)}",
                f"damaged indexes to replace:  {len(self.damaged_index_files)}",
                f"other indexes to replace:    {len(self.index.supersede)}",
                *map(str, self.findings),
                *map(_tell_point, self.touched),
            )
        )


def plan_repair_index(
    repository: Repository, *, read_packs: bool = False, emit: Emit, cancel: CancelToken
) -> RepairPlan:
    """Compare the index with the packs; change nothing.

    ``read_packs``: believe no pack before it was read to its last byte. Raises
    ``IntegrityError`` when storage contradicts itself, so that nothing can be decided.
    """
    damaged: list[DamagedFile] = []
    files = load_index_files(repository, on_damage=damaged.append)
    damaged_names = tuple(file.key.name for file in damaged)
    known_names = name_indexes(files) | set(damaged_names)
    refuse_unseen(repository, FileKind.INDEX, known_names)
    indexed = merge_packs(files)
    sizes = pack_sizes(repository, indexed)
    doubtful = {
        pack: size
        for pack, size in sizes.items()
        if pack not in indexed or pack_size(indexed[pack].blobs) != size
    }
    headers = _read_headers(repository, doubtful, emit=emit, cancel=cancel)
    _refuse_withheld(headers, doubtful, damaged)
    take_up = {p.id: p for p in headers.values() if isinstance(p, IndexedPack)}
    salvage: list[IndexedPack] = []
    findings = [error(file.key.path, file.reason) for file in damaged]
    for pack, found in headers.items():
        if isinstance(found, IntegrityError):
            cancel.raise_if_cancelled()
            part = _salvage(repository, indexed[pack], sizes[pack]) if pack in indexed else None
            findings.append(_tell(pack, found, indexed.get(pack), part))
            if part is not None and part.blobs:
                salvage.append(part)
    drop = tuple(pack for pack in indexed if pack not in sizes)
    findings += [error(pack_key(pack).path, "the pack is missing") for pack in drop]
    stay = {pack: entry for pack, entry in indexed.items() if pack in sizes.keys() - doubtful}
    touched: tuple[TouchedPoint, ...] = ()
    if read_packs:
        believed = {**stay, **take_up}
        rot = find_rot(repository, believed, sizes, emit=emit, cancel=cancel)
        stay, take_up = rot.without(stay), rot.without(take_up)
        findings += rot.findings
        kept = [*stay.values(), *take_up.values(), *salvage]
        salvage += rot.salvage(beside=kept)
        repository.index = index_of([*kept, *salvage])
        touched = find_touched(repository, emit=emit, cancel=cancel)
        repository.index = BlobIndex()
    return RepairPlan(
        keep=len(stay),
        take_up=tuple(take_up.values()),
        drop=drop,
        salvage=tuple(salvage),
        findings=tuple(findings),
        touched=touched,
        index=plan_index_change(files, stay),
        damaged_index_files=damaged_names,
        index_files=frozenset(known_names),
    )


def execute_repair_index(
    plan: RepairPlan,
    repository: Repository,
    *,
    lock: RepositoryLock,
    emit: Emit,
    cancel: CancelToken,
) -> None:
    """Write the new generation, then remove the old, under an exclusive lock held since before
    the plan was made. The index in memory is empty afterwards.
    """
    lock.ensure_held()
    try:
        new = repack(
            repository,
            plan.salvage,
            total_bytes=sum(blob.length for pack in plan.salvage for blob in pack.blobs),
            emit=emit,
            cancel=cancel,
        )
        generation = save_index_files(repository, [*plan.index.carry, *plan.take_up, *new.packs])
        lock.ensure_held()
        own = {*new.index_files, *generation}
        refuse_unseen(repository, FileKind.INDEX, plan.index_files | own)
        refuse_unlisted(repository, FileKind.INDEX, generation)
        remove_files(
            repository,
            FileKind.INDEX,
            [*plan.index.supersede, *plan.damaged_index_files, *new.index_files],
            phase="remove old indexes",
            before_each=lock.ensure_held,
            emit=emit,
            cancel=cancel,
        )
    finally:
        repository.index = BlobIndex()


def _read_headers(
    repository: Repository, packs: Mapping[PackId, int], *, emit: Emit, cancel: CancelToken
) -> dict[PackId, IndexedPack | IntegrityError]:
    """Each pack's own word, or what is wrong with it; packs that are gone are left out."""

    def read(pack: PackId) -> IndexedPack | IntegrityError | None:
        cancel.raise_if_cancelled()
        try:
            return read_header(repository, pack, packs[pack], BlobOpener(repository.sealer()))
        except IntegrityError as exc:
            return exc
        except ObjectNotFoundError:
            return None

    found: dict[PackId, IndexedPack | IntegrityError] = {}
    with ThreadPoolExecutor(_PARALLEL_HEADERS, thread_name_prefix="header") as pool:
        for done, (pack, answer) in enumerate(zip(packs, pool.map(read, packs), strict=True)):
            emit(Progress("read headers", files_done=done + 1, files_total=len(packs)))
            if answer is not None:
                found[pack] = answer
    return found


def _refuse_withheld(
    found: Mapping[PackId, object], wanted: Iterable[PackId], damaged: list[DamagedFile]
) -> None:
    """A damaged index file is given up only when every pack it may have named was looked at."""
    withheld = [pack for pack in wanted if pack not in found]
    if withheld and damaged:
        raise IntegrityError(
            f"{pack_key(withheld[0]).path} is listed, but the storage does not hand it out; "
            f"the damaged {damaged[0].key.path} may speak of it and was left alone.",
            hint="Run it again in some minutes.",
        )


def _salvage(repository: Repository, pack: IndexedPack, size: int) -> IndexedPack:
    """Of a damaged pack, the blobs that still open and match their ids."""
    opener = BlobOpener(repository.sealer())

    def is_whole(blob: PackedBlob) -> bool:
        if blob.offset + blob.length > size:
            return False
        try:
            return any(True for _ in read_sealed(repository, IndexedPack(pack.id, (blob,)), opener))
        except IntegrityError:
            return False

    return IndexedPack(pack.id, tuple(blob for blob in pack.blobs if is_whole(blob)))


def _tell_point(point: TouchedPoint) -> str:
    more = f" and {point.items - 1} more" if point.items > 1 else ""
    return f"restore point {point.snapshot.short_id} lacks {point.first}{more}"


def _tell(
    pack: PackId, damage: IntegrityError, indexed: IndexedPack | None, part: IndexedPack | None
) -> Finding:
    if indexed is None or part is None:
        return error(pack_key(pack).path, f"{damage.message} It is in no index and is left alone.")
    lost = len(indexed.blobs) - len(part.blobs)
    return error(
        pack_key(pack).path,
        f"{damage.message} {len(part.blobs)} of its blobs are whole and are copied, "
        f"{lost} are lost.",
        hint="Another backup of the same source saves again what is lost.",
    )
