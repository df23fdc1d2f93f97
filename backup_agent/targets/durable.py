"""Making sure that what was restored outlives a power cut, once the restore says that it is done.

One sync for each file system at the end, and not one for each file before it gets its name: a
hundred thousand small files would wait for a hundred thousand flushes of the disk, and nothing
would be gained. A restore that lost power is run again, for the repository still has everything.
"""

from __future__ import annotations

from threading import Lock

from backup_agent.targets import posix


class WrittenFileSystems:
    """The file systems that a restore wrote to; several, where others are mounted below the target.

    Each is held by a descriptor from before the writing: the kernel then reports at the end what
    it failed to write behind our back.
    """

    def __init__(self) -> None:
        self._descriptors: dict[int, int] = {}
        self._lock = Lock()

    def add(self, folder: int) -> None:
        """The one that this open folder lies on."""
        device = posix.device_of(folder)
        with self._lock:
            if device not in self._descriptors:
                self._descriptors[device] = posix.duplicate(folder)

    def sync(self) -> None:
        """Wait until all is on the disks. Raises ``OSError`` where something never will be."""
        for descriptor in self._descriptors.values():
            posix.sync_file_system(descriptor)

    def close(self) -> None:
        while self._descriptors:
            posix.close(self._descriptors.popitem()[1])
