"""The proof at the end of the demo: all that came back against what was there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backup_agent.services.browse import show_path
from backup_agent.services.demo import windows
from backup_agent.services.demo.backed_up import BackedUp
from backup_agent.services.demo.computer import WINDOWS_VOLUME
from backup_agent.services.demo.disk_proof import read_disk, require_same_disk
from backup_agent.services.demo.documents import LETTERS
from backup_agent.services.demo.looking import on_windows
from backup_agent.services.demo.outcome import Proved
from backup_agent.services.demo.proof import (
    hashes_below,
    require_same,
    require_same_files,
    require_zip,
    take_picture,
)
from backup_agent.services.demo.scratch import Scratch


def prove(scratch: Scratch, backups: Sequence[BackedUp]) -> Proved:
    """Raises ``IntegrityError`` at the first thing that is not as it was."""
    first, newest = backups
    for backup in backups:
        restored = scratch.restored_documents(backup.files_point.short_id)
        require_same(backup.documents, take_picture(restored))
    disks = [
        (first, scratch.same_disk),
        (newest, scratch.larger_disk),
        (newest, scratch.smaller_disk),
    ]
    return Proved(
        items=sum(len(backup.documents) for backup in backups),
        disks=len(disks),
        disk_items=sum(_prove_disk(backup, image, scratch) for backup, image in disks),
        taken_out=_prove_pictures(newest, scratch),
        zip_members=_prove_zips(newest, scratch),
    )


def _prove_disk(backup: BackedUp, image: Path, scratch: Scratch) -> int:
    return require_same_disk(backup.disk, read_disk(image, scratch.room), image)


def _prove_pictures(newest: BackedUp, scratch: Scratch) -> int:
    wanted = hashes_below(newest.disk[WINDOWS_VOLUME], windows.PICTURES)
    inside = show_path(on_windows(windows.PICTURES))[1:]
    found = hashes_below(take_picture(scratch.from_windows), inside)
    require_same_files(wanted, found, scratch.from_windows)
    return len(wanted)


def _prove_zips(newest: BackedUp, scratch: Scratch) -> int:
    """Names in a zip are whole paths in the restore point, without the first slash."""
    documents = str(scratch.documents).strip("/")
    disk = show_path(on_windows(""))[1:]
    wanted = {
        scratch.zip: _letters(documents, LETTERS, hashes_below(newest.documents, LETTERS)),
        scratch.zip_from_windows: _letters(
            disk,
            windows.LETTERS,
            hashes_below(newest.disk[WINDOWS_VOLUME], windows.LETTERS),
        ),
    }
    for file, members in wanted.items():
        require_zip(file, members)
    return sum(map(len, wanted.values()))


def _letters(root: str, folder: str, hashes: dict[str, str]) -> dict[str, str]:
    return {f"{root}/{folder}/{name}": digest for name, digest in hashes.items()}
