"""A plan to restore a disk, as text with a picture of both layouts, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backup_agent.cli import words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from backup_agent.services.restore_disk import DiskPicture, DiskRestore, Placed

_WIDTH = 64
_NARROWEST = 3


def plan_record(job: DiskRestore) -> dict[str, object]:
    """One JSON object. Places and sizes are bytes."""
    plan = job.plan
    return {
        "message_type": "plan",
        "source": plan.source,
        "target": plan.target.path,
        "target_model": plan.target.model,
        "target_size": plan.target.size,
        "sector_size": plan.sector_size,
        "bytes_to_write": plan.stored_bytes,
        "needs_scratch": plan.needs_scratch,
        "before": picture_record(plan.before),
        "after": picture_record(plan.after),
        "actions": list(plan.lines()),
        "notes": list(plan.notes),
        "gaps": gap_records(job),
        "left_out": left_out_records(job),
    }


def left_out_records(job: DiskRestore) -> list[dict[str, object]]:
    """The volumes that the plan has no place for."""
    return [
        {"volume": volume.number, "content": volume.file_system.kind.value, "size": volume.size}
        for volume in job.plan.left_out
    ]


def gap_records(job: DiskRestore) -> list[dict[str, object]]:
    """What the backup could not read. ``volume`` is null beside the volumes, ``size`` bytes."""
    return [
        {"volume": gap.volume, "size": gap.size, "reasons": list(gap.reasons)} for gap in job.gaps
    ]


def plan_text(job: DiskRestore, scratch: Path | None) -> str:
    """``scratch`` is the folder that a volume gets its room in when it changes its size, if any."""
    plan = job.plan
    lines = [
        words.printable(f"{plan.source} -> {plan.target.path} {plan.target.model}".rstrip()),
        *(f"  {line}" for line in layout_lines(plan.before, plan.after)),
        f"  What is written ({words.size(plan.stored_bytes)} of data):",
        *(f"    {words.printable(line)}" for line in plan.lines()),
    ]
    if plan.needs_scratch and scratch:
        lines.append(
            words.printable(f"  The resized volume's data need room in {scratch} meanwhile.")
        )
    if plan.notes:
        lines.append("  To know:")
        lines += [f"    - {words.printable(note)}" for note in plan.notes]
    return "\n".join(lines)


def layout_lines(before: DiskPicture, after: DiskPicture) -> list[str]:
    """Both layouts on one scale."""
    longest = max(before.size, after.size)
    return [
        *_picture_lines("as it was", before, longest),
        *_picture_lines("as it will be", after, longest),
    ]


def picture_record(picture: DiskPicture) -> dict[str, object]:
    """One layout. Places and sizes are bytes; ``extended`` is null where there is none."""
    return {
        "size": picture.size,
        "sector_size": picture.sector_size,
        "table": picture.table.value,
        "volumes": [_placed_record(one) for one in picture.placed],
        "extended": _placed_record(picture.extended) if picture.extended else None,
    }


def _placed_record(one: Placed) -> dict[str, object]:
    return {
        "number": one.number,
        "start": one.extent.start,
        "size": one.extent.size,
        "content": one.words,
    }


def _picture_lines(title: str, picture: DiskPicture, longest: int) -> list[str]:
    table = "" if picture.table.value == "none" else f"{picture.table.value.upper()}, "
    around = [picture.extended] if picture.extended else []
    # Where it begins, it comes before what it holds.
    listed = sorted(
        [*around, *picture.placed], key=lambda one: (one.extent.start, -one.extent.size)
    )
    return [
        f"{title}: {words.size(picture.size)}, {table}sectors of {picture.sector_size} bytes",
        f"  {_bar(picture, longest)}",
        *(
            f"  {one.number:>3}  from {words.size(one.extent.start):>10}"
            f"  {words.size(one.extent.size):>10}  {words.printable(one.words)}"
            for one in listed
        ),
    ]


def _bar(picture: DiskPicture, longest: int) -> str:
    """``|1  [2|5      |6    ].....|``: volumes in proportion, free space as dots.

    Brackets are the extended partition of an MBR, with the logical ones in it.
    """
    bar = ""
    for _, _, start, end, mark in sorted(_marks(picture)):
        bar = bar.ljust(min(_column(start, longest), _WIDTH * 2), ".")
        bar += mark.ljust(_column(end, longest) - len(bar))
    return f"{bar.ljust(_column(picture.size, longest), '.')}|"


def _marks(picture: DiskPicture) -> Iterator[tuple[int, int, int, int, str]]:
    """Place and rank of each mark, and from where to where on the disk it reaches."""
    if picture.extended:
        start, end = picture.extended.extent.start, picture.extended.extent.end
        yield start, 1, start, start, f"[{picture.extended.number}"
        yield end, 0, end, end, "]"
    for one in picture.placed:
        mark = f"|{one.number}".ljust(_NARROWEST)
        yield one.extent.start, 2, one.extent.start, one.extent.end, mark


def _column(place: int, longest: int) -> int:
    return place * _WIDTH // longest
