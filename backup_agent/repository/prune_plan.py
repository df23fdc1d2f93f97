"""Deciding what a prune does: which packs stay, are repacked, are deleted.

::

    used      = every blob that the trees of all snapshots need
    best pack first, each used blob is claimed once; other copies are duplicates
    a pack with no claimed blob                      -> delete
    a pack that mixes trees and data (old restic)    -> repack
    a tree pack with anything unused                 -> repack
    data packs, the emptiest first,
      until at most 5 % of what stays is unused      -> repack
    packs below 4 MiB, when there are several        -> repack (merge)
    all others                                       -> keep
    where there is no room: of those to repack, the emptiest that fit; no merging

Nothing is planned on doubt: a snapshot, tree or index that cannot be read, a
used blob in no whole pack, packs without a single snapshot, all raise
``IntegrityError``. The numbers are restic's.

Where listings may lag, a backup under way may not be seen, nor what it saved.
There a pack is deleted in two phases (docs/adr/0003): one prune takes it out of
the index, another deletes it, once it was in no index for a day.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from backup_agent.errors import IntegrityError, ObjectNotFoundError, UsageError
from backup_agent.format.index import IndexedPack
from backup_agent.format.pack import BlobKind, PackedBlob, pack_size
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit
from backup_agent.model.ids import BlobId, PackId, SnapshotId
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.index import BlobIndex
from backup_agent.repository.inventory import (
    index_of,
    load_index_files,
    merge_packs,
    name_indexes,
    pack_sizes,
    refuse_unseen,
)
from backup_agent.repository.reindex import IndexChange, plan_index_change
from backup_agent.repository.repository import Repository
from backup_agent.repository.walk import UsedBlobs, find_used
from backup_agent.storage.backend import FileKind

MAX_UNUSED = 0.05
"""The share of what stays that may be unused; restic's default."""
SMALL_PACK = 4 << 20
"""restic's first pack size: packs of old repositories are not small for being old."""
GRACE = timedelta(hours=24)
"""How long a pack was in no index before it is deleted where listings may lag."""


@dataclass(frozen=True, slots=True)
class Amount:
    """How many, and their sealed size in bytes."""

    count: int = 0
    size: int = 0

    def __str__(self) -> str:
        return f"{self.count} ({self.size} bytes)"


@dataclass(frozen=True, slots=True)
class Repack:
    """A pack to be emptied: ``part`` names the blobs of it that are needed."""

    part: IndexedPack
    size: int

    @property
    def needed(self) -> int:
        return sum(blob.length for blob in self.part.blobs)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrunePlan:
    """What to show, and then to carry out. Pack sizes are those of the files."""

    used: Amount
    unused: Amount
    duplicate: Amount
    keep: tuple[PackId, ...]
    repack: tuple[Repack, ...]
    delete: Mapping[PackId, int]
    """Packs without a needed blob, and their sizes."""
    unindexed: Mapping[PackId, int]
    """Packs in no index, left by runs that broke off, and their sizes. They are deleted too."""
    waiting: Mapping[PackId, int]
    """Packs in no index, and their sizes, whose grace period is not over."""
    in_two_phases: bool
    """Whether packs that this prune empties only leave the index, for a later one to delete."""
    missing: tuple[PackId, ...]
    """Indexed packs that are gone and that nothing needs."""
    index: IndexChange
    snapshots: frozenset[str]
    index_files: frozenset[str]
    """The files this plan knows of: should there be others, it is out of date."""
    forgotten: frozenset[SnapshotId]
    """Snapshots that have to be gone before the plan is carried out."""
    put_off: int
    """How many packs would be worth repacking, but for the limit of what may be copied."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.repack or self.delete or self.unindexed or self.index.supersede)

    @property
    def repack_bytes(self) -> int:
        """Sealed bytes that are copied."""
        return sum(item.needed for item in self.repack)

    @property
    def emptied(self) -> Mapping[PackId, int]:
        """The packs nothing needs any more once the plan is carried out, and their sizes."""
        return {**self.delete, **{item.part.id: item.size for item in self.repack}}

    @property
    def postponed(self) -> Mapping[PackId, int]:
        """The packs left for a later prune to delete, and their sizes."""
        return {**self.waiting, **self.emptied} if self.in_two_phases else self.waiting

    @property
    def freed_bytes(self) -> int:
        """By how much the repository shrinks now, index files apart; negative where it grows
        first because packs are copied and those they came from have to wait.
        """
        gone = 0 if self.in_two_phases else sum(self.emptied.values())
        return gone + sum(self.unindexed.values()) - self.repack_bytes

    @property
    def postponed_bytes(self) -> int:
        """By how much more it shrinks later."""
        return sum(self.postponed.values())

    def __str__(self) -> str:
        return "\n".join(
            (
                f"blobs in use:        {self.used}",
                f"blobs not in use:    {self.unused}",
                f"duplicate blobs:     {self.duplicate}",
                f"packs to keep:       {len(self.keep)}",
                f"packs to repack:     {len(self.repack)}, copying {self.repack_bytes} bytes",
                f"packs to delete:     {len(self.delete)}",
                f"packs in no index:   {len(self.unindexed)}, left by runs that broke off",
                *self._lines_on_waiting(),
                f"packs gone already:  {len(self.missing)}",
                f"indexes to replace:  {len(self.index.supersede)}",
                f"space to be freed:   {self.freed_bytes} bytes",
            )
        )

    def _lines_on_waiting(self) -> tuple[str, ...]:
        if not self.postponed:
            return ()
        wait = f"{self.postponed_bytes} bytes, for a prune in {GRACE // timedelta(hours=1)} hours"
        return (f"packs that wait:     {len(self.postponed)}, {wait} or later",)


def plan_prune(
    repository: Repository,
    *,
    forgotten: Collection[SnapshotId] = (),
    allow_empty: bool = False,
    max_unused: float = MAX_UNUSED,
    copy_at_most: int | None = None,
    emit: Emit,
    cancel: CancelToken,
) -> PrunePlan:
    """Look at everything, change nothing. Loads the repository's index anew.

    ``forgotten`` snapshots do not count: removed a moment ago, a listing may
    still name them; or they are about to be. ``allow_empty``: that no snapshot
    is listed is no surprise, and no packs are to remain. ``max_unused`` is a
    share, 0 to (without) 1. ``copy_at_most`` limits, in bytes, what is written anew to
    where most is freed by it: 0 takes hardly any room.
    """
    if not 0 <= max_unused < 1:
        raise UsageError("The share that may stay unused is at least 0 and less than 1.")
    snapshots = _load_snapshots(repository, forgotten)
    files = load_index_files(repository)
    refuse_unseen(repository, FileKind.INDEX, name_indexes(files))
    packs = merge_packs(files)
    repository.index = index_of(packs.values())
    sizes = pack_sizes(repository, packs)
    if sizes and not (snapshots or forgotten or allow_empty):
        raise _no_snapshots(repository, len(sizes))
    used = find_used(repository, snapshots, emit=emit, cancel=cancel)
    uses = _claim(packs, sizes, used, repository.index)
    repack = _choose_repack(uses, max_unused)
    worthwhile = len(repack)
    if copy_at_most is not None:
        wasteful = [use for use in repack.values() if use.wasted]
        repack, worthwhile = _within(copy_at_most, wasteful), len(wasteful)
    keep = [u for u in uses if u.needed and u.pack.id not in repack]
    unindexed = {pack: size for pack, size in sorted(sizes.items()) if pack not in packs}
    in_two_phases = repository.backend.listing_may_lag
    ripe = repository.witness.unreferenced_for(GRACE) if in_two_phases else unindexed.keys()
    return PrunePlan(
        used=_total(b for use in uses for b in use.needed),
        unused=_total(b for p in packs.values() for b in p.blobs if not used.has(b.kind, b.id)),
        duplicate=Amount(
            sum(use.duplicates.count for use in uses), sum(use.duplicates.size for use in uses)
        ),
        keep=tuple(use.pack.id for use in keep),
        repack=tuple(
            Repack(IndexedPack(use.pack.id, use.needed), use.size) for use in repack.values()
        ),
        delete={use.pack.id: use.size for use in uses if not use.needed},
        unindexed={pack: size for pack, size in unindexed.items() if pack in ripe},
        waiting={pack: size for pack, size in unindexed.items() if pack not in ripe},
        in_two_phases=in_two_phases,
        missing=tuple(pack for pack in packs if pack not in sizes),
        index=plan_index_change(files, {use.pack.id: use.pack for use in keep}),
        snapshots=frozenset(snapshot.id for snapshot in snapshots),
        index_files=name_indexes(files),
        forgotten=frozenset(forgotten),
        put_off=worthwhile - len(repack),
    )


def _no_snapshots(repository: Repository, packs: int) -> IntegrityError:
    return IntegrityError(
        f"{repository.location} lists no restore point, but {packs} packs of data; nothing was "
        "removed.",
        hint="If everboot points should show some, the storage leaves out what it has: try again "
        "later. If all were forgotten, everboot prune --allow-empty deletes the data.",
    )


def _load_snapshots(repository: Repository, forgotten: Collection[SnapshotId]) -> list[Snapshot]:
    """All but the forgotten; one that cannot be read stops everything."""
    snapshots: list[Snapshot] = []
    for name in map(SnapshotId, repository.names(FileKind.SNAPSHOT)):
        if name in forgotten:
            continue
        try:
            snapshots.append(repository.load_snapshot(name))
        except ObjectNotFoundError as exc:
            raise IntegrityError(
                f"snapshots/{name} is listed but cannot be fetched; nothing was removed.",
                hint="If it was forgotten a moment ago, wait some minutes and run it again.",
            ) from exc
        except IntegrityError as exc:
            raise IntegrityError(
                f"{exc.message} Nobody knows what it needs; nothing was removed.",
                hint=f"everboot forget {name[:8]} gives that restore point up.",
            ) from exc
    return snapshots


@dataclass(frozen=True, slots=True)
class _PackUse:
    """A pack, what of it is needed, and what of it is needed but taken from elsewhere."""

    pack: IndexedPack
    size: int
    needed: tuple[PackedBlob, ...]
    duplicates: Amount

    @property
    def wasted(self) -> int:
        if len(self.needed) == len(self.pack.blobs):
            return 0
        return sum(b.length for b in self.pack.blobs) - sum(b.length for b in self.needed)

    @property
    def kinds(self) -> set[BlobKind]:
        return {blob.kind for blob in self.pack.blobs}


def _claim(
    packs: Mapping[PackId, IndexedPack],
    sizes: Mapping[PackId, int],
    used: UsedBlobs,
    index: BlobIndex,
) -> list[_PackUse]:
    """Decide which copy of each used blob counts. Raises ``IntegrityError`` where none is whole.

    Of a tree it is the copy that the walk just read: nobody knows how the others are.
    """

    def wasted(pack: IndexedPack) -> tuple[int, PackId]:
        # Where blobs lie twice, the copy in the pack with least else to throw away is kept.
        return sum(b.length for b in pack.blobs if not used.has(b.kind, b.id)), pack.id

    left: dict[BlobKind, set[BlobId]] = {
        BlobKind.TREE: set(used.trees),
        BlobKind.DATA: set(used.data),
    }
    intact = {pack.id for pack in packs.values() if sizes.get(pack.id) == pack_size(pack.blobs)}
    read = _read_copies(used.trees, index, intact)
    uses: list[_PackUse] = []
    for pack in sorted((p for p in packs.values() if p.id in sizes), key=wasted):
        needed: list[PackedBlob] = []
        copies: list[PackedBlob] = []
        for blob in pack.blobs if pack.id in intact else ():
            is_read = blob.kind is BlobKind.DATA or read.get(blob.id, pack.id) == pack.id
            if blob.id in left[blob.kind] and is_read:
                left[blob.kind].discard(blob.id)
                needed.append(blob)
            elif used.has(blob.kind, blob.id):
                copies.append(blob)
        whole = pack.blobs if len(needed) == len(pack.blobs) else tuple(needed)
        uses.append(_PackUse(pack, sizes[pack.id], whole, _total(copies)))
    _refuse_lost(left, packs, sizes)
    return uses


def _read_copies(
    trees: Iterable[BlobId], index: BlobIndex, intact: Container[PackId]
) -> dict[BlobId, PackId]:
    """The pack each tree was read from, where that pack can stay."""
    if not index.has_repeats:
        return {}
    places = ((tree, index.whole_place(BlobKind.TREE, tree)) for tree in trees)
    return {tree: place.pack for tree, place in places if place and place.pack in intact}


def _refuse_lost(
    left: Mapping[BlobKind, set[BlobId]],
    packs: Mapping[PackId, IndexedPack],
    sizes: Mapping[PackId, int],
) -> None:
    lost = left[BlobKind.TREE] | left[BlobKind.DATA]
    if not lost:
        return
    reason = f"Blob {min(lost).hex()} is in no index."
    for pack in packs.values():
        if any(blob.id in lost for blob in pack.blobs):
            state = "does not have the size it should" if pack.id in sizes else "is missing"
            reason = f"The pack data/{pack.id[:2]}/{pack.id} {state}."
            break
    raise IntegrityError(
        f"{len(lost)} blobs that restore points need are not there; nothing was removed. {reason}",
        hint="everboot check tells what is affected; everboot repair index, then another backup "
        "of the same source, may bring them back.",
    )


def _choose_repack(uses: Collection[_PackUse], max_unused: float) -> dict[PackId, _PackUse]:
    needed = [use for use in uses if use.needed]
    repack = {
        use.pack.id: use
        for use in needed
        if len(use.kinds) > 1 or (BlobKind.TREE in use.kinds and use.wasted)
    }
    wasteful = [use for use in needed if use.wasted and use.pack.id not in repack]
    wasteful.sort(key=lambda use: (-use.wasted / use.size, use.pack.id))
    wasted = sum(use.wasted for use in wasteful)
    total_needed = sum(blob.length for use in needed for blob in use.needed)
    allowed = max_unused / (1 - max_unused) * total_needed
    for use in wasteful:
        if wasted <= allowed:
            break
        repack[use.pack.id] = use
        wasted -= use.wasted
    for kind in BlobKind:
        repack.update(_choose_small(needed, repack, kind))
    return repack


def _within(limit: int, wasteful: Iterable[_PackUse]) -> dict[PackId, _PackUse]:
    """Of packs that hold anything unneeded, the emptiest ones whose rest is no more than that."""
    chosen: dict[PackId, _PackUse] = {}
    for use in sorted(wasteful, key=lambda use: (-use.wasted / use.size, use.pack.id)):
        limit -= sum(blob.length for blob in use.needed)
        if limit < 0:
            break
        chosen[use.pack.id] = use
    return chosen


def _choose_small(
    needed: Collection[_PackUse], repack: Mapping[PackId, _PackUse], kind: BlobKind
) -> dict[PackId, _PackUse]:
    """The small packs of a kind, where they meet company to be merged with."""
    same = [use for use in needed if kind in use.kinds]
    small = {u.pack.id: u for u in same if u.size < SMALL_PACK and u.pack.id not in repack}
    company = len(small) > 1 or any(use.pack.id in repack for use in same)
    return small if company else {}


def _total(blobs: Iterable[PackedBlob]) -> Amount:
    count = size = 0
    for blob in blobs:
        count += 1
        size += blob.length
    return Amount(count, size)
