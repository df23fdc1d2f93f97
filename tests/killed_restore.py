"""A disk restore that kills itself: ``python -m tests.killed_restore REPOSITORY TARGET BYTES``.

It dies in the middle of the write with which so many bytes have gone to the
target (or its scratch file). SIGKILL, so that nothing gets to clean up, as in a
power cut.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import ignore
from backup_agent.repository.reader import BlobReader
from backup_agent.services.browse import PointBrowser
from backup_agent.services.restore_disk import execute_disk_restore, plan_disk_restore
from backup_agent.storage.local import LocalBackend
from tests.killed import die
from tests.points import reopen


def restore_latest(repository: Path, target: Path) -> None:
    """``disk0`` of the only restore point."""
    opened = reopen(LocalBackend(repository))
    opened.load_index()
    (point,) = opened.snapshots()
    with BlobReader(opened) as reader:
        job = plan_disk_restore(PointBrowser(reader, point), "disk0", target)
        execute_disk_restore(job, verify=False, emit=ignore, cancel=CancelToken())


def die_after_writing(size: int) -> None:
    left = size
    write = os.pwrite

    def counted(file: int, data: bytes | memoryview, place: int) -> int:
        nonlocal left
        if left < len(data):
            write(file, memoryview(data)[:left], place)
            die()
        left -= len(data)
        return write(file, data, place)

    os.pwrite = counted  # type: ignore[assignment] # what it is called with, not all it takes


def main(repository: str, target: str, size: str) -> None:
    die_after_writing(int(size))
    restore_latest(Path(repository), Path(target))


if __name__ == "__main__":
    main(*sys.argv[1:])
