"""Which destination suits a source: proposed, never taken without a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rescue_media.flow.values import Destination, Row


def propose(rows: Sequence[Row], destinations: Sequence[Destination]) -> tuple[Row, ...]:
    """Each row with its proposal; no destination is proposed twice.

    The drive that was backed up itself comes first, then the smallest that
    takes the source as it is, then the largest that holds at least its data.
    The largest source chooses first.
    """
    taken: set[str] = set()
    proposals: dict[str, Destination] = {}
    for row in sorted(rows, key=lambda one: -one.size):
        found = _best(row, [d for d in destinations if d.path not in taken])
        if found is not None:
            proposals[row.source] = found
            taken.add(found.path)
    return tuple(replace(row, proposal=proposals.get(row.source)) for row in rows)


def why_not(row: Row, destination: Destination) -> str:
    """Why that destination cannot be chosen for the row, as far as is known before planning."""
    if destination.refused:
        return destination.refused
    if row.is_disk and destination.partition is not None:
        return "A whole disk does not go onto a partition."
    if not row.is_disk and destination.partition is None and not destination.is_image:
        return "A single volume goes onto a partition or into an image file."
    if destination.size < row.needed:
        return "It is smaller than what is in use."
    return ""


def _best(row: Row, destinations: Sequence[Destination]) -> Destination | None:
    fit = [d for d in destinations if not d.is_image and not why_not(row, d)]
    same = [d for d in fit if row.serial and d.serial == row.serial]
    roomy = sorted((d for d in fit if d.size >= row.size), key=lambda d: d.size)
    if not row.is_disk:
        # Any larger partition would be hit by chance: only one of the same size is meant.
        return next((d for d in roomy if d.size == row.size), None)
    tight = sorted((d for d in fit if d.size < row.size), key=lambda d: -d.size)
    return next(iter([*same, *roomy, *tight]), None)
