"""Single files of a restore point into a folder, say on a USB disk."""

from __future__ import annotations

from pathlib import Path

from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit
from backup_agent.qtkit import words
from backup_agent.services.browse import parse_path
from backup_agent.services.open_repository import OpenRepository
from backup_agent.services.restore import restore_files
from rescue_media.flow import answers as a
from rescue_media.flow import wishes as w
from rescue_media.flow.values import Report


def copy_files(
    wish: w.CopyFiles, repository: OpenRepository, point: str, emit: Emit, cancel: CancelToken
) -> a.Finished:
    """Verified. Raises ``EverbootError`` of every kind."""
    folder = Path(wish.folder)
    browser = repository.browse(point)
    _, reader = repository.parts()
    result = restore_files(
        reader,
        browser,
        folder,
        selection=[parse_path(path) for path in wish.paths],
        verify=True,
        emit=emit,
        cancel=cancel,
    )
    lost = [f"{path} is damaged in the backup and was not copied." for path in result.damaged]
    if result.skipped:
        lost.append(f"{result.skipped} items could not be written as they were.")
    return a.Finished(
        Report(
            "The files are copied" if not lost else "Not everything was copied",
            (f"{result.files} files, {words.size(result.bytes)}, are in {folder}.",),
            tuple(lost),
            is_complete=not lost,
        )
    )
