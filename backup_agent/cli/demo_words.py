"""What each step of the demo has to show, as a few lines for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, assert_never

from backup_agent.cli import words
from backup_agent.cli.disk_plan_words import layout_lines, picture_record

if TYPE_CHECKING:
    from backup_agent.services.demo.outcome import Outcome


def record(outcome: Outcome) -> dict[str, object]:
    from backup_agent.services.demo.outcome import DiskRestored

    if isinstance(outcome, DiskRestored):
        return {
            "path": outcome.path,
            "before": picture_record(outcome.before),
            "after": picture_record(outcome.after),
        }
    return asdict(outcome)


def told(outcome: Outcome) -> Iterator[str]:
    """Lines without indent; names of files come printable."""
    return (words.printable(line) for line in _lines(outcome))


def _lines(outcome: Outcome) -> Iterator[str]:
    from backup_agent.services.demo import outcome as of

    match outcome:
        case of.DocumentsReady(path, size, files):
            yield f"{words.count(files, 'file')}, {words.size(size)}: letters, photos,"
            yield "a sparse file, odd names, links, odd modes and times."
            yield path
        case of.ComputerReady(path, size, page_file):
            yield f"A disk image of {words.size(size)}, divided as Windows does it (GPT):"
            yield "an EFI partition (FAT32), Windows (NTFS) with programs, Ada's files and a"
            yield f"page file of {words.size(page_file)}, and a recovery partition (NTFS)."
            yield path
        case of.Created(repository, _, password_file):
            yield repository
            yield f"Its password is in {password_file}"
        case of.Changed(edited, added, deleted, on_disk, written, total):
            yield f"Documents: edited {edited}, added {added},"
            yield f"deleted {deleted}."
            share = f"{written / total:.1%} of what its files hold"
            yield f"Disk: {words.size(written)} written ({share}), in"
            yield from (f"  {path}" for path in on_disk)
        case of.PointMade(point, files, size, _, stored, left_out):
            what = words.count(files, "file") if files else "a whole disk"
            how = "" if files else ": what is in use and new, in pieces of 1 MiB, compressed"
            yield f"Restore point {point}: {what}, {words.size(size)}."
            yield f"The repository grew by {words.size(stored)}{how}."
            if left_out:
                yield f"Left out on purpose, and it says so: {', '.join(left_out)}"
        case of.Listed(points):
            for item in points:
                known = "" if item.bytes is None else words.size(item.bytes)
                yield f"{item.id}  {words.moment(item.time)}  {item.kind:<5}  {known:>10}"
        case of.SeenByRestic(version, points):
            yield f"restic {version} lists {words.count(len(points), 'restore point')}:"
            yield f"{', '.join(points)}."
            yield "Its own check finds no errors."
        case of.Browsed(folder, items, pattern, found, differences):
            yield f"{folder} holds {words.count(items, 'item')}."
            yield f"Searching for {pattern} finds {words.count(found, 'item')}."
            yield "What changed between the two backups of the documents:"
            yield from (f"  {line}" for line in differences)
        case of.BrowsedInside(folder, names):
            yield f"{folder} holds"
            yield from (f"  {name}" for name in names)
            yield "Only the blocks that this needed were read."
        case of.TakenOut(folder, path, files, size, zipped_folder, zip_path, zip_size):
            yield f"{folder}: {words.count(files, 'file')}, {words.size(size)}, to"
            yield path
            yield f"{zipped_folder}: {words.size(zip_size)}, as"
            yield zip_path
        case of.Zipped(path, size):
            yield f"{path} ({words.size(size)})"
        case of.Restored(paths, size):
            yield f"{words.size(size)}, to"
            yield from paths
        case of.DiskRestored(path, before, after):
            if after.size == before.size:
                yield f"{words.size(after.size)}, to"
            else:
                yield from layout_lines(before, after)
            yield path
        case of.Proved(items, disks, disk_items, taken_out, members):
            yield f"Documents: {words.count(items, 'item')}, with mode, owner, time and links."
            yield f"Files out of NTFS: {taken_out}; in the two zips: {members}."
            proved = f"{words.count(disks, 'disk')}: {words.count(disk_items, 'item')}"
            yield f"{proved}, read by wimlib and mtools, not by us;"
            yield "sfdisk, ntfsresize and fsck.fat find partition tables and file systems sound."
        case of.Checked(points, packs):
            yield (
                f"{words.count(points, 'restore point')}, {words.count(packs, 'pack')}: "
                "no errors were found."
            )
        case _:
            assert_never(outcome)
