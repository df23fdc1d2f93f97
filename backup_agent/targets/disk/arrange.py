"""A place for every partition on a disk of another size: pure arithmetic.

No partition is moved or resized that need not be::

    fits as it is?                            keep every place
      and the rest of the disk is wanted?     the last that can grow takes it,
                                              what is behind it moves to the end
    does not?                                 from the last backwards, move down what reaches
                                              too far, closing gaps
    still does not?                           the same, but one partition gives up its end
    and still not?                            the same, without recovery partitions that
                                              may not be moved
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from backup_agent.model.disk import Extent

ALIGNMENT = 1 << 20
"""What every partitioning tool of today starts partitions at: a multiple of any erase block."""


@dataclass(frozen=True, slots=True)
class Block:
    """A partition, as far as its place goes.

    ``smallest`` is the size it can be shrunk to, ``size`` if it cannot.
    ``expendable``: rather left out than the restore refused.
    """

    number: int
    start: int
    size: int
    smallest: int
    movable: bool = True
    growable: bool = False
    expendable: bool = False

    @property
    def end(self) -> int:
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Where each partition lies, by number; those left out are missing there.

    ``grow_blocked_by`` is the number of an unmovable partition that keeps
    another from growing, if that was asked for.
    """

    places: dict[int, Extent]
    left_out: tuple[int, ...] = ()
    resized: int | None = None
    grow_blocked_by: int | None = None


def arrange(
    blocks: Iterable[Block],
    usable: Extent,
    *,
    sector_size: int,
    grow: bool = False,
    shrink: int | None = None,
) -> Arrangement | None:
    """Places within ``usable`` for all blocks; ``None`` if there are none.

    Order is kept, and so is the start of a block that does not have to move;
    others start at multiples of 1 MiB. ``shrink`` names the one block that may
    be shrunk; else the largest for which it suffices is chosen.
    """
    ordered = sorted((_whole_sectors(b, sector_size) for b in blocks), key=lambda b: b.start)
    if (places := _in_place(ordered, usable, sector_size)) is not None:
        return _grown(ordered, places, usable) if grow else Arrangement(places)
    if (places := _packed(ordered, usable, sector_size, None)) is not None:
        return Arrangement(places)
    kept = [block for block in ordered if not block.expendable]
    for present in (ordered, kept) if len(kept) < len(ordered) else (ordered,):
        left_out = tuple(block.number for block in ordered if block not in present)
        for candidate in (None, *_shrinkable(present, shrink)):
            places = _packed(present, usable, sector_size, candidate)
            if places is not None:
                resized = candidate.number if candidate else None
                return Arrangement(places, left_out, resized)
    return None


def smallest_room(blocks: Sequence[Block], usable: Extent, sector_size: int) -> int | None:
    """How many bytes from ``usable.start`` on, to a MiB, have places for all blocks.

    ``usable`` has not. It is tried, since gaps and partitions that may not be
    moved count as well; ``None`` where no size helps.
    """

    def fits(size: int) -> bool:
        room = Extent(usable.start, size)
        return arrange(blocks, room, sector_size=sector_size) is not None

    too_few = usable.size
    enough = too_few + max(block.end for block in blocks) + 2 * ALIGNMENT * len(blocks)
    if not fits(enough):
        return None
    while enough - too_few > ALIGNMENT:
        size = (too_few + enough) // 2
        too_few, enough = (too_few, size) if fits(size) else (size, enough)
    return enough


def _whole_sectors(block: Block, sector_size: int) -> Block:
    """The block with a size that the target's sectors can express."""
    size = -(-block.size // sector_size) * sector_size
    if size == block.size:
        return block
    return Block(
        block.number, block.start, size, size, block.movable, block.growable, block.expendable
    )


def _in_place(
    blocks: Sequence[Block], usable: Extent, sector_size: int
) -> dict[int, Extent] | None:
    """Everything where it is, or as little behind that as the target's sectors demand."""
    places: dict[int, Extent] = {}
    cursor = usable.start
    for block in blocks:
        start = block.start
        if start < cursor or start % sector_size:
            if not block.movable:
                return None
            start = _up(max(start, cursor))
        places[block.number] = Extent(start, block.size)
        cursor = start + block.size
    return places if cursor <= usable.end else None


def _grown(blocks: Sequence[Block], places: dict[int, Extent], usable: Extent) -> Arrangement:
    """The last growable block takes what is left, up to the first that may not be moved."""
    growing = next((i for i in reversed(range(len(blocks))) if blocks[i].growable), None)
    if growing is None:
        return Arrangement(places)
    block, behind = blocks[growing], blocks[growing + 1 :]
    fixed = next((i for i, other in enumerate(behind) if not other.movable), len(behind))
    limit = places[behind[fixed].number].start if fixed < len(behind) else usable.end
    moved = dict(places)
    for other in reversed(behind[:fixed]):
        start = _down(limit - other.size)
        if start < places[other.number].start:
            # Less than an alignment is left: not worth a move.
            start = places[other.number].start
        moved[other.number] = Extent(start, other.size)
        limit = start
    start = places[block.number].start
    size = _down(limit) - start
    blocker = behind[fixed].number if fixed < len(behind) else None
    if size <= block.size:
        return Arrangement(places, grow_blocked_by=blocker)
    moved[block.number] = Extent(start, size)
    return Arrangement(moved, resized=block.number, grow_blocked_by=blocker)


def _packed(
    blocks: Sequence[Block], usable: Extent, sector_size: int, shrinking: Block | None
) -> dict[int, Extent] | None:
    """From the last backwards: what reaches too far moves down, or gives up its end."""
    places: dict[int, Extent] = {}
    limit = usable.end
    for block in reversed(blocks):
        place = _below(limit, block, sector_size, shrinks=block is shrinking)
        if place is None or place.start < usable.start:
            return None
        places[block.number] = place
        limit = place.start
    return places


def _below(limit: int, block: Block, sector_size: int, *, shrinks: bool) -> Extent | None:
    if block.end <= limit and block.start % sector_size == 0:
        return Extent(block.start, block.size)
    if shrinks:
        start = block.start if block.start % sector_size == 0 else _up(block.start)
        if start != block.start and not block.movable:
            return None
        size = _down(limit) - start
        return Extent(start, min(size, block.size)) if size >= block.smallest else None
    if not block.movable:
        return None
    start = _down(min(limit - block.size, block.start))
    return Extent(start, block.size) if start >= 0 else None


def _shrinkable(blocks: Iterable[Block], only: int | None) -> Iterator[Block]:
    able = [b for b in blocks if b.smallest < b.size and only in (None, b.number)]
    yield from sorted(able, key=lambda block: block.size, reverse=True)


def _up(place: int) -> int:
    return -(-place // ALIGNMENT) * ALIGNMENT


def _down(place: int) -> int:
    return place // ALIGNMENT * ALIGNMENT
