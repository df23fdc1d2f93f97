"""A folder on the walk of a backup, and what of it can be taken over from the parent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backup_agent.format.stored_tree import StoredTree
from backup_agent.format.tree import join_tree
from backup_agent.model.node import NodeKind
from backup_agent.services.parent_point import ParentPoint
from backup_agent.sources.entry import Entry


class OpenFolder:
    """A folder whose children are being saved, each node into its own place among ``nodes``.

    ``parent`` is what the parent restore point has of it, and ``unchanged``
    tells that all of that still holds. ``stored`` is its own node there, if
    unchanged, and ``place`` where its node goes among its folder's.
    """

    __slots__ = ("children", "entry", "nodes", "parent", "place", "stored", "unchanged", "waiting")

    def __init__(
        self,
        entry: Entry | None,
        children: Sequence[Entry],
        parent: StoredTree,
        *,
        stored: bytes | None = None,
        place: int = 0,
    ) -> None:
        self.entry = entry
        self.children = children
        self.parent = parent
        self.stored = stored
        self.place = place
        self.unchanged = False
        self.nodes: list[bytes | None] = [None] * len(children)
        """``None`` for a child that is still to come, or left out."""
        self.waiting: Iterator[tuple[int, Entry]] = iter(enumerate(children))

    def take_over(self, point: ParentPoint) -> Sequence[Entry]:
        """Give the unchanged files their stored nodes, all at once; returns those files.

        Only to save time: who keeps waiting is looked at alone, with the same
        outcome. A folder is never taken over, for below it all may have changed.
        """
        heads = [child.head() for child in self.children]
        blobs = self.parent.blobs_if_unchanged(heads)
        if (
            blobs is not None
            and point.has_blobs(blobs)
            and all(may_be_taken_over(child) for child in self.children)
        ):
            self.unchanged = True
            self.waiting = iter(())
            return self.children
        return self._take_over_some(heads, point)

    def _take_over_some(self, heads: Sequence[bytes], point: ParentPoint) -> Sequence[Entry]:
        self.nodes = point.unchanged(self.parent, heads)
        waiting: list[tuple[int, Entry]] = []
        taken: list[Entry] = []
        for place, (child, stored) in enumerate(zip(self.children, self.nodes, strict=True)):
            if stored is not None and may_be_taken_over(child) and point.has_content(stored):
                taken.append(child)
            else:
                waiting.append((place, child))
        self.waiting = iter(waiting)
        return taken

    def tree(self) -> bytes:
        """The tree of what was saved."""
        return join_tree(node for node in self.nodes if node is not None)


def may_be_taken_over(entry: Entry) -> bool:
    """Whether this is a file that need not be read where its metadata are the parent's."""
    return entry.kind is NodeKind.FILE and not entry.mtime_from_content
