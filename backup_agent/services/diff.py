"""What changed from one restore point to another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from backup_agent.model.cancel import CancelToken
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node, NodeKind
from backup_agent.services.browse import PointBrowser, TreePath


class Change(StrEnum):
    """The marks are restic's."""

    ADDED = "+"
    REMOVED = "-"
    MODIFIED = "M"
    METADATA = "U"
    TYPE = "T"


@dataclass(frozen=True, slots=True)
class Difference:
    """One path that is not the same in both. ``node`` is the newer one where there are two."""

    path: TreePath
    change: Change
    node: Node


def diff_points(
    old: PointBrowser, new: PointBrowser, *, cancel: CancelToken
) -> Iterator[Difference]:
    """What it takes to get from one restore point to the other, folders first.

    Subtrees with the same id are the same and not read. Raises ``IntegrityError``.
    """
    pairs: list[tuple[TreePath, BlobId | None, BlobId | None]] = [
        ((), old.snapshot.tree, new.snapshot.tree)
    ]
    while pairs:
        path, before, after = pairs.pop()
        cancel.raise_if_cancelled()
        if before == after:
            continue
        left = {n.name: n for n in old.nodes(before)}
        right = {n.name: n for n in new.nodes(after)}
        for name in sorted(left.keys() | right.keys()):
            here = (*path, name)
            one, other = left.get(name), right.get(name)
            if (change := _change(one, other)) is not None:
                node = other or one
                assert node is not None
                yield Difference(here, change, node)
            subtrees = (one.subtree if one else None, other.subtree if other else None)
            if subtrees != (None, None):
                pairs.append((here, *subtrees))


def _change(one: Node | None, other: Node | None) -> Change | None:
    if one is None:
        return Change.ADDED
    if other is None:
        return Change.REMOVED
    if one.kind is not other.kind:
        return Change.TYPE
    if one.kind is NodeKind.FILE and one.content != other.content:
        return Change.MODIFIED
    if _metadata(one) != _metadata(other):
        return Change.METADATA
    return None


def _metadata(node: Node) -> tuple[object, ...]:
    """What a restore would set; a link count or inode is of no interest to people."""
    return (
        node.mode,
        node.mtime_ns,
        node.uid,
        node.gid,
        node.link_target,
        node.xattrs,
        node.device,
    )
