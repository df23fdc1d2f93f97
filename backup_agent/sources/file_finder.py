"""The place for whoever knows which files lie where in a volume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from backup_agent.filesystems.reading import SeekableReader
from backup_agent.model.disk import Extent, Volume


class FileFinder(Protocol):
    """Names the files that bad sectors hit."""

    def __call__(
        self, disk: SeekableReader, volume: Volume, extents: Sequence[Extent], /
    ) -> Sequence[str]:
        """Paths of the files in those bytes, which count from the volume's start.

        ``disk`` is the whole one, and it has bad sectors: what cannot be told
        is left out, and nothing is raised.
        """
        ...
