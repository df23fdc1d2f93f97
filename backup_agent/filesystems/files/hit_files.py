"""Which files lie where the disk cannot be read."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from backup_agent.errors import UnreadableError
from backup_agent.filesystems.files.file_tree import MappedTree, Reference, TreeItem
from backup_agent.model.disk import Extent, joined
from backup_agent.model.node import NodeKind


def hit_files(tree: MappedTree, extents: Sequence[Extent]) -> Iterator[bytes]:
    """Paths (``/Users/me/photo.jpg``, ``name:stream``) of the files with bytes in the extents.

    Those count from the volume's start. A file with several names is told by all
    of them. What cannot be read of the file system is passed over.
    """
    bad = list(joined(extents))
    starts = [extent.start for extent in bad]
    folders: list[tuple[bytes, Reference]] = [(b"", tree.root)]
    entered: set[Reference] = set()
    while folders:
        path, folder = folders.pop()
        if folder in entered:
            continue
        entered.add(folder)
        for item in _listed(tree, folder):
            here = path + b"/" + item.node.name
            if item.node.kind is NodeKind.FOLDER:
                folders.append((here, item.reference))
            streams = (None, *(stream.name for stream in item.streams))
            for stream in streams[item.node.kind is not NodeKind.FILE :]:
                lies_in = _extents(tree, item, stream)
                if any(_meets(extent, bad, starts) for extent in lies_in):
                    yield here if stream is None else here + b":" + stream


def _listed(tree: MappedTree, folder: Reference) -> Sequence[TreeItem]:
    try:
        return tree.list_folder(folder)
    # A library in C may raise what it likes for a file system that is damaged.
    except (UnreadableError, OSError):
        return ()


def _extents(tree: MappedTree, item: TreeItem, stream: bytes | None) -> Sequence[Extent]:
    try:
        return tree.extents(item.reference, stream=stream)
    except (UnreadableError, OSError):
        return ()


def _meets(extent: Extent, bad: Sequence[Extent], starts: Sequence[int]) -> bool:
    before = bisect_right(starts, extent.end - 1) - 1
    return before >= 0 and bad[before].end > extent.start
